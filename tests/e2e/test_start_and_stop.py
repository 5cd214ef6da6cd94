"""How a server starts, refuses to start, and ends with everything it started."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Wait = Callable[..., Any]


def test_sigterm_ends_the_whole_tree(serve: Callable[..., Any], running: Callable[[int], bool]) -> None:
    server = serve(workers=2).ready()
    tree = server.children()
    assert sorted(tree.values()) == ["jobs", "web", "web"]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert not [pid for pid in tree if running(pid)]
    server._reader.join(30)
    assert server.log[-1] == "driftline stopped\n"
    assert "Traceback" not in server.text()


def test_killing_the_parent_ends_the_whole_tree(
    serve: Callable[..., Any], running: Callable[[int], bool], wait: Wait
) -> None:
    server = serve(workers=1).ready()
    tree = server.children()
    assert len(tree) == 2
    server.process.kill()
    server.process.wait(30)
    wait(lambda: not [pid for pid in tree if running(pid)], "the children have ended", 30)


def test_a_web_process_that_was_still_starting_ends_with_its_parent(
    serve: Callable[..., Any], running: Callable[[int], bool], wait: Wait
) -> None:
    server = serve(workers=1)
    wait(lambda: list(server.children().values()).count("web") == 1, "the process is started")
    web = [pid for pid, kind in server.children().items() if kind == "web"]
    server.process.kill()
    server.process.wait(30)
    wait(lambda: not [pid for pid in web if running(pid)], "the web process has ended", 60)


def test_a_stopped_server_starts_again_where_it_was(
    serve: Callable[..., Any], command: Callable[..., Any], models: tuple[Path, Path]
) -> None:
    first = serve(workers=1).ready()
    with first.client() as client:
        client.deploy("kept", models[0])
        answer = client.invoke("kept", b"1,2,3")
    first.stop()
    again = type(first)(first.data, 1)
    try:
        with again.ready().client() as client:
            assert client.invoke("kept", b"1,2,3") == answer
    finally:
        again.stop()


def refused(done: Any) -> str:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "to do:" in done.stderr
    return str(done.stderr)


def test_a_data_folder_that_is_a_file_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    words = refused(command("serve", "--data", file, "--port", "0"))
    assert f"cannot write in the data folder {file}" in words
    assert "--data" in words
    assert file.read_text() == "not a folder"


def test_a_data_folder_that_cannot_be_made_is_refused(command: Callable[..., Any]) -> None:
    place = Path("/proc/driftline-data")
    if not place.parent.is_dir():
        pytest.skip("there is no /proc to be refused by")
    assert f"cannot write in the data folder {place}" in refused(command("serve", "--data", place, "--port", "0"))


def test_a_database_that_is_none_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "driftline.db").write_text("this is no database, whatever its name says" * 100)
    assert "driftline.db" in refused(command("serve", "--data", tmp_path, "--port", "0"))


def test_a_port_in_use_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = refused(command("serve", "--data", tmp_path, "--port", port))
    assert f"port {port} on 127.0.0.1 is in use" in words


def test_an_address_of_another_machine_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    asked = ("serve", "--data", tmp_path, "--host", "192.0.2.1", "--port", "0")
    assert "driftline token create" in refused(command(*asked))
    words = refused(command(*asked, "--access", "off"))
    assert "192.0.2.1" in words
    assert "--host" in words


def test_a_file_that_is_no_model_is_refused_by_name(serve: Callable[..., Any], tmp_path: Path) -> None:
    server = serve(workers=1).ready()
    file = tmp_path / "shopping-list.json"
    file.write_text(json.dumps({"eggs": 6}))
    words = refused(server.cli("deploy", "shop", "--model", file))
    assert "shopping-list.json" in words
    assert str(server.data) not in words
    missing = refused(server.cli("deploy", "shop", "--model", tmp_path / "missing.json"))
    assert "missing.json" in missing
    with server.client() as client:
        assert client.list_endpoints() == []
    assert not list((server.data / "models").rglob(".*"))
