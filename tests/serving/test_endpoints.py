"""The registry: deployed, updated, deleted and failed endpoints, each without a consequence for the others."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.core.errors import DriftlineError, InputError, ModelError
from driftline.resources.endpoints import CaptureSettings
from driftline.serving.endpoints import EndpointConfig, Registry


class Fake:
    """A model that answers with a constant."""

    n_features = 1
    plain_answers = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def predict(self, rows: Any) -> Any:
        return np.zeros(len(rows))

    def describe(self) -> dict[str, Any]:
        return {}


class World:
    """A list of endpoints to change, and a loader that counts and fails on demand."""

    def __init__(self) -> None:
        self.configs: list[EndpointConfig] = []
        self.loads: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.registry = Registry(lambda: list(self.configs), self.load)

    def load(self, path: Path) -> Fake:
        self.loads.append(path.name)
        if path.name in self.broken:
            raise self.broken[path.name]
        return Fake(path)

    def set(self, *configs: EndpointConfig) -> None:
        self.configs = list(configs)
        self.registry.refresh()

    def serving(self, name: str) -> str | None:
        endpoint = self.registry.get(name)
        assert endpoint is None or endpoint.model is None or isinstance(endpoint.model, Fake)
        return endpoint.model.path.name if endpoint and isinstance(endpoint.model, Fake) else None


@pytest.fixture
def world() -> World:
    return World()


def config(name: str, model: str, revision: int = 0, **more: Any) -> EndpointConfig:
    return EndpointConfig(name, Path(model), revision=revision, **more)


def test_deploy_update_delete(world: World) -> None:
    world.set(config("a", "m1"), config("b", "m2"))
    assert [endpoint.config.name for endpoint in world.registry.endpoints()] == ["a", "b"]
    world.set(config("a", "m3", 1), config("b", "m2"))
    assert (world.serving("a"), world.serving("b")) == ("m3", "m2")
    world.set(config("b", "m2"))
    assert world.registry.get("a") is None
    assert world.loads == ["m1", "m2", "m3"]


def test_settings_change_without_a_reload(world: World) -> None:
    world.set(config("a", "m1"))
    before = world.registry.get("a")
    world.registry.refresh()
    assert world.registry.get("a") is before
    world.set(config("a", "m1", 1, capture=CaptureSettings(percent=5)))
    after = world.registry.get("a")
    assert after is not None
    assert before is not None
    assert (after.model, after.config.capture.percent) == (before.model, 5)
    assert world.loads == ["m1"]


@pytest.mark.parametrize("error", [ModelError("no model", hint="x"), RuntimeError("surprise")])
def test_a_model_that_fails_stops_nobody_else(world: World, error: Exception) -> None:
    world.broken["bad"] = error
    world.set(config("a", "bad"), config("b", "m2"))
    failed = world.registry.get("a")
    assert failed is not None
    assert failed.model is None
    assert isinstance(failed.failure, DriftlineError)
    assert world.serving("b") == "m2"
    world.registry.refresh()
    assert world.loads == ["bad", "m2"]  # tried again only when something changed
    del world.broken["bad"]
    world.set(config("a", "bad", 1), config("b", "m2"))
    assert world.serving("a") == "bad"


def test_the_older_model_goes_on_serving(world: World) -> None:
    world.broken["bad"] = ModelError("no model", hint="x")
    world.set(config("a", "m1"))
    world.set(config("a", "bad", 1))
    endpoint = world.registry.get("a")
    assert endpoint is not None
    assert endpoint.failure is not None
    assert world.serving("a") == "m1"
    world.set(config("a", "m1", 2))
    endpoint = world.registry.get("a")
    assert endpoint is not None
    assert endpoint.failure is None


def test_a_file_written_over_is_taken_up_with_the_next_revision(world: World, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("one")
    world.set(config("a", str(path)))
    path.write_text("another")
    world.registry.refresh()
    assert len(world.loads) == 1
    world.set(config("a", str(path), 1))
    assert len(world.loads) == 2


def test_settings_and_deletions_do_not_wait_for_models(world: World) -> None:
    world.set(config("a", "m1"), config("gone", "m2"))
    seen: list[Any] = []
    load = world.load

    def slow(path: Path) -> Fake:
        endpoint, new = world.registry.get("a"), world.registry.get("new")
        assert endpoint is not None
        assert new is not None
        seen.append((endpoint.config.capture.percent, world.registry.get("gone"), new.model))
        return load(path)

    world.registry._load = slow
    world.set(config("new", "m3"), config("a", "m1", 1, capture=CaptureSettings(percent=7)))
    assert seen == [(7, None, None)]
    assert world.serving("new") == "m3"


def test_a_source_that_fails_changes_nothing(world: World) -> None:
    world.set(config("a", "m1"))

    def fail() -> list[EndpointConfig]:
        raise OSError("no database")

    world.registry._source = fail
    with pytest.raises(OSError, match="no database"):
        world.registry.refresh()
    assert world.serving("a") == "m1"


def test_many_threads_may_refresh(world: World) -> None:
    world.configs = [config(f"e{number}", f"m{number}") for number in range(20)]
    threads = [threading.Thread(target=world.registry.refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(world.loads) == sorted(f"m{number}" for number in range(20))


@pytest.mark.parametrize("name", ["", "-a", "a-", "a/b", "a" * 64, "ü", "a_b", "a\n", ".."])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="not a name"):
        config(name, "m")
    with pytest.raises(InputError, match="not a name"):
        config("a", "m", variant=name)
    assert config("a--b-9", "m").name == "a--b-9"
