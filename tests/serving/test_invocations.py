"""The invocation path inside one loop: batches, isolation, errors, headers, and changes while it serves."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from driftline.core import records
from driftline.core.errors import ModelError
from driftline.resources.endpoints import CaptureSettings, SensitiveColumn
from driftline.serving.capture_log import CaptureLog
from driftline.serving.endpoints import EndpointConfig, Registry
from driftline.serving.invocations import Invocations

CSV = {"Content-Type": "text/csv"}


class Adder:
    """Answers the sum of two columns; counts its calls; cannot bear 666 nor survive 667."""

    n_features = 2
    plain_answers = False

    def __init__(self, outputs: int = 1) -> None:
        self.batches: list[int] = []
        self.outputs = outputs

    def predict(self, rows: Any) -> Any:
        self.batches.append(len(rows))
        if (rows == 666).any():
            raise ModelError("666 is too much", hint="send less")
        if (rows == 667).any():
            raise ZeroDivisionError("667")
        total = rows.sum(axis=1)
        return np.stack([total, -total], axis=1) if self.outputs == 2 else total

    def describe(self) -> dict[str, Any]:
        return {}


class House:
    """An application with models made on the spot, and a client that speaks to it."""

    def __init__(self, root: Path, clock: Callable[[], float], **options: Any) -> None:
        self.root = root
        self.configs = {"add": EndpointConfig("add", Path("adder"))}
        self.models: dict[str, Any] = {"adder": Adder()}
        self.registry = Registry(lambda: list(self.configs.values()), self.load)
        self.registry.refresh()
        self.log = CaptureLog(root, clock)
        self.app = Invocations(self.registry, self.log, self.fallback, **options)
        self.fallbacks: list[str] = []

    def load(self, path: Path) -> Any:
        if path.name not in self.models:
            raise ModelError(f"{path} is not a model", evidence="seen", hint="deploy another")
        return self.models[path.name]

    async def fallback(self, scope: Any, receive: Any, send: Any) -> None:
        self.fallbacks.append(scope.get("path", scope["type"]))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 299, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    def captured(self) -> list[records.CaptureRecord]:
        files = sorted(self.root.rglob("*.jsonl"))
        return [records.decode_capture(line) for file in files for line in file.read_bytes().splitlines()]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")

    def ask(self, *bodies: str, name: str = "add", **headers: str) -> list[httpx.Response]:
        """Posts the bodies at once and returns their responses in order."""
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        sent = {key.encode(): value.encode() for key, value in {**CSV, **given}.items()}

        async def run() -> list[httpx.Response]:
            async with self.client() as client:
                url = f"/endpoints/{name}/invocations"
                return await asyncio.gather(*(client.post(url, content=body, headers=sent) for body in bodies))

        return asyncio.run(run())


@pytest.fixture
def house(tmp_path: Path, clock: Any) -> House:
    return House(tmp_path, clock)


def test_one_row_in_and_a_bare_number_out(house: House) -> None:
    (response,) = house.ask("1,2.5")
    assert (response.status_code, response.content) == (200, b"3.5")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
    (record,) = house.captured()
    assert record.event_metadata.event_id == response.headers["x-inference-event-id"]
    assert record.capture_data.endpoint_input == records.Payload("1,2.5", "CSV", "text/csv", "INPUT")
    assert record.capture_data.endpoint_output == records.Payload("3.5", "CSV", "text/csv; charset=utf-8", "OUTPUT")


def test_rows_json_and_accept(house: House) -> None:
    assert house.ask("1,2\n3,4")[0].text == "3.0\n7.0"
    assert house.ask("1,2", Accept="application/json")[0].json() == {"predictions": [{"score": 3.0}]}
    (response,) = house.ask('{"instances":[[1,2],[3,4]]}', Content_Type="application/json")
    assert response.json() == {"predictions": [{"score": 3.0}, {"score": 7.0}]}
    assert response.headers["content-type"] == "application/json"
    assert house.ask("[1,2]", Content_Type="application/json", Accept="text/csv")[0].text == "3.0"
    house.models["adder"].outputs = 2
    assert house.ask("1,2\n3,4")[0].text == "3.0,-3.0\n7.0,-7.0"
    assert house.ask("1,2", Accept="application/json")[0].json() == {"predictions": [{"scores": [3.0, -3.0]}]}


def test_sensitive_values_are_predicted_with_and_not_recorded(house: House) -> None:
    rules = (SensitiveColumn("input", 1, "mask"), SensitiveColumn("output", 0, "drop"))
    house.configs["add"] = EndpointConfig("add", Path("adder"), capture=CaptureSettings(sensitive=rules), revision=1)
    house.registry.refresh()
    assert [response.text for response in house.ask("1,2", "3,4\n5,6")] == ["3.0", "7.0\n11.0"]
    found = [record.capture_data for record in house.captured()]
    assert [one.endpoint_input.data for one in found if one.endpoint_input] == ["1,***", "3,***\n5,***"]
    assert [one.endpoint_output.data for one in found if one.endpoint_output] == ["", "\n"]


def test_requests_of_one_turn_are_one_batch_and_keep_their_answers(house: House) -> None:
    bodies = [f"{number},0" if number % 3 else f"{number},0\n{number},1" for number in range(30)]
    for number, response in enumerate(house.ask(*bodies)):
        expected = f"{number}.0" if number % 3 else f"{number}.0\n{number + 1}.0"
        assert response.text == expected
    assert house.models["adder"].batches == [40]
    assert len(house.captured()) == 30
    assert len(list(house.root.rglob("*.jsonl"))) == 1


def test_a_body_cannot_shift_its_neighbours(house: House) -> None:
    bodies = ["1,1", "1,2],[3,4", "2,2", "5", "1,2\n3", "x,1", "", "3,3", "1,2,3,4", '"1,2'] * 3
    responses = house.ask(*bodies)
    assert [response.status_code for response in responses] == [200, 400, 200, 400, 400, 400, 400, 200, 400, 400] * 3
    assert [response.text for response in responses if response.status_code == 200] == ["2.0", "4.0", "6.0"] * 3
    assert len(house.captured()) == 9


@pytest.mark.parametrize("poison", ["666,1", "667,1"])
def test_a_poisonous_row_hurts_its_sender_only(house: House, poison: str) -> None:
    responses = house.ask("1,1", poison, "2,2", "3,3")
    assert [response.status_code for response in responses] == [200, 424, 200, 200]
    assert [responses[index].text for index in (0, 2, 3)] == ["2.0", "4.0", "6.0"]
    assert responses[1].json()["code"] == "prediction_failed"
    assert len(house.captured()) == 3


def test_ids_and_attributes_are_captured(house: House) -> None:
    house.ask("1,2", X_Amzn_SageMaker_Inference_Id="aws", X_Amzn_SageMaker_Custom_Attributes="trace=7")
    house.ask("1,2", X_Inference_Id="own-é")
    house.ask("1,2", X_Inference_Id="own", X_Amzn_SageMaker_Inference_Id="both")
    metadata = [record.event_metadata for record in house.captured()]
    assert [each.inference_id for each in metadata] == ["aws", "own-é", "both"]
    assert [each.custom_attributes for each in metadata] == [["trace=7"], None, None]


def test_errors_are_json_and_not_captured(house: House) -> None:
    def error(response: httpx.Response) -> tuple[int, str]:
        document = response.json()
        assert set(document) == {"code", "message", "evidence", "hint"}
        assert document["hint"]
        return response.status_code, document["code"]

    assert error(house.ask("1,2", name="nobody")[0]) == (404, "not_found")
    assert error(house.ask("1,2", Content_Type="image/png")[0]) == (415, "unsupported_media_type")
    assert error(house.ask("1,x")[0]) == (400, "invalid_input")
    assert error(house.ask("1,2", X_Inference_Id="x" * 1025)[0]) == (400, "invalid_input")
    assert error(house.ask("1,2", X_Inference_Id="")[0]) == (400, "invalid_input")
    assert error(house.ask("1" * (6 << 20) + ",2")[0]) == (413, "too_large")
    assert house.captured() == []

    async def get() -> httpx.Response:
        async with house.client() as client:
            return await client.get("/endpoints/add/invocations")

    response = asyncio.run(get())
    assert error(response) == (405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_everything_else_goes_to_the_fallback(house: House) -> None:
    async def run() -> None:
        async with house.client() as client:
            for path in ("/", "/endpoints/add", "/endpoints/a/b/invocations", "/endpoints//invocations", "/ping"):
                assert (await client.post(path)).status_code == 299
        await house.app({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
        await house.app({"type": "websocket", "path": "/endpoints/add/invocations"}, None, None)  # type: ignore[arg-type]

    asyncio.run(run())
    assert len(house.fallbacks) == 7


def test_capture_settings_change_live(house: House) -> None:
    def settle(**capture: Any) -> None:
        house.configs["add"] = EndpointConfig("add", Path("adder"), capture=CaptureSettings(**capture))
        house.registry.refresh()

    settle(percent=0)
    assert "x-inference-event-id" not in house.ask("1,2")[0].headers
    settle(percent=100, input=False)
    house.ask("1,2")
    settle(input=False, output=False)
    house.ask("1,2")
    (record,) = house.captured()
    assert record.capture_data.endpoint_input is None
    (count,) = house.log.drain_counters()
    assert (count.captured, count.sampled_out, count.dropped) == (1, 2, 0)


def test_a_failed_endpoint_says_why_and_others_serve(house: House) -> None:
    house.configs["bad"] = EndpointConfig("bad", Path("nothing"))
    house.registry.refresh()
    (response,) = house.ask("1,2", name="bad")
    assert response.status_code == 503
    assert "nothing is not a model" in response.json()["message"]
    assert (response.json()["evidence"], response.json()["hint"]) == ("seen", "deploy another")
    assert house.ask("1,2")[0].text == "3.0"


def test_an_unknown_endpoint_is_looked_for_once_and_served(tmp_path: Path, clock: Any) -> None:
    calls: list[int] = []

    def refresh() -> None:
        calls.append(1)
        house.configs["new"] = EndpointConfig("new", Path("adder"))
        house.registry.refresh()

    house = House(tmp_path, clock, refresh=refresh, refresh_every=0.0)
    assert [response.text for response in house.ask(*["1,2"] * 10, name="new")] == ["3.0"] * 10
    assert len(calls) == 1
    assert house.ask("1,2", name="never")[0].status_code == 404
    assert len(calls) == 2


def test_refreshes_are_spaced(tmp_path: Path, clock: Any) -> None:
    moments: list[float] = []
    house = House(tmp_path, clock, refresh=lambda: None, refresh_every=0.2)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        house.app._refresh = lambda: moments.append(loop.time())
        async with house.client() as client:
            for number in range(3):
                url = f"/endpoints/n{number}/invocations"
                assert (await client.post(url, content="1,2", headers=CSV)).status_code == 404

    asyncio.run(run())
    # The moments are taken in a thread, which may start late: half of the pause is left for that.
    assert [later - earlier >= 0.1 for earlier, later in itertools.pairwise(moments)] == [True, True]


def test_a_list_that_cannot_be_read_is_not_a_404(tmp_path: Path, clock: Any) -> None:
    def refresh() -> None:
        raise OSError("no database")

    house = House(tmp_path, clock, refresh=refresh)
    (response,) = house.ask("1,2", name="new")
    assert response.status_code == 503
    assert "no database" in response.json()["evidence"]


def test_deploy_update_and_delete_while_another_serves(house: House) -> None:
    house.models["two"] = Adder(outputs=2)

    async def run() -> None:
        stop = asyncio.Event()
        answered = 0

        async def others(client: httpx.AsyncClient) -> None:
            nonlocal answered
            while not stop.is_set():
                response = await client.post("/endpoints/add/invocations", content="1,2", headers=CSV)
                assert response.text == "3.0"
                answered += 1

        async def change(config: EndpointConfig | None, expected: str | int) -> None:
            house.configs.pop("b", None)
            if config:
                house.configs["b"] = config
            await asyncio.to_thread(house.registry.refresh)
            response = await client.post("/endpoints/b/invocations", content="1,2", headers=CSV)
            assert expected in (response.text, response.status_code)

        async with house.client() as client:
            tasks = [asyncio.create_task(others(client)) for _ in range(4)]
            for round_number in range(5):
                await change(EndpointConfig("b", Path("adder"), revision=3 * round_number), "3.0")
                await change(EndpointConfig("b", Path("two"), revision=3 * round_number + 1), "3.0,-3.0")
                await change(EndpointConfig("b", Path("broken"), revision=3 * round_number + 2), "3.0,-3.0")
                await change(None, 404)
            stop.set()
            await asyncio.gather(*tasks)
        assert answered > 20

    asyncio.run(run())


def message(body: bytes = b"", more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([message(b"1,", True), message(b"2")], [200]),
        ([message(b"1,", True), {"type": "http.disconnect"}], []),
        ([{"type": "http.disconnect"}], []),
        ([message(b"1" * 60, True), message(b"1" * 60, True)], [413]),
        ([message(b"1" * 101)], [413]),
    ],
)
def test_bodies_in_pieces(messages: list[Any], expected: list[int], tmp_path: Path, clock: Any) -> None:
    house = House(tmp_path, clock, max_body=100)
    sent: list[Any] = []
    pieces = iter(messages)

    async def receive() -> Any:
        return next(pieces)

    async def send(reply: Any) -> None:
        sent.append(reply)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/endpoints/add/invocations",
        "headers": [(b"content-type", b"text/csv")],
    }
    asyncio.run(house.app(scope, receive, send))
    assert [reply["status"] for reply in sent if "status" in reply] == expected


def test_a_client_that_goes_away_leaves_the_batch_whole(house: House) -> None:
    async def run() -> None:
        async with house.client() as client:
            posts = [
                asyncio.create_task(client.post("/endpoints/add/invocations", content=f"{n},0", headers=CSV))
                for n in range(6)
            ]
            while not house.app._batcher._jobs:
                await asyncio.sleep(0)
            posts[2].cancel()
            posts[4].cancel()
            answers = await asyncio.gather(*posts, return_exceptions=True)
        texts = [answer.text for answer in answers if isinstance(answer, httpx.Response)]
        assert texts == ["0.0", "1.0", "3.0", "5.0"]

    asyncio.run(run())


def test_the_record_is_there_before_the_answer(house: House) -> None:
    seen: list[int] = []

    async def run() -> None:
        async def receive() -> Any:
            return message(b"1,2")

        async def send(reply: Any) -> None:
            seen.append(len(house.captured()))

        headers = [(b"content-type", b"text/csv")]
        path = "/endpoints/add/invocations"
        await house.app({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)

    asyncio.run(run())
    assert seen == [1, 1]


def test_capture_that_breaks_is_a_500_and_never_hangs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(house.log, "append", fail)
    (response,) = house.ask("1,2")
    assert response.status_code == 500
    assert json.loads(response.content)["code"] == "error"
