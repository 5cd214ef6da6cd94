"""Commands, calls and services: what they are given, what is kept of their answers, and what is never shown."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from driftline.alerting.actions import read_actions
from driftline.alerting.notify import webhook_client
from driftline.alerting.sending import Refused, send
from driftline.alerting.targets import check_target, mask
from driftline.core.errors import InputError, NotFoundError

BODY = {"alarm": 'lo"w', "from": "OK", "to": "ALARM", "reason": "f2 fell", "by": 0.25, "text": "low is ALARM\nf2 fell"}


@pytest.fixture
def received() -> Iterator[tuple[int, list[tuple[str, dict[str, str], bytes]]]]:
    """A server's port, and what it was sent."""
    kept: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.append((f"{self.command} {self.path}", dict(self.headers), body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], kept
        server.shutdown()
        thread.join()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with webhook_client() as opened:
        yield opened


def command(folder: Path, code: str, more: str = "") -> None:
    run = json.dumps([sys.executable, "-I", "-c", code])
    (folder / "actions.toml").write_text(f"[command.act]\nrun = {run}\n{more}")


def test_a_command_gets_the_message_and_a_bare_environment(
    tmp_path: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE", "postgresql://secret")
    monkeypatch.setenv("ALLOWED", "yes")
    code = "import os,sys,json; print(json.load(sys.stdin)['alarm'], sorted(set(os.environ) - {'LC_CTYPE'}))"
    command(tmp_path, code, 'environment = ["ALLOWED"]')
    said = send(client, "command:act", BODY, "key", tmp_path)
    assert said is not None
    assert said.startswith("exit code 0: lo\"w ['ALLOWED', 'DRIFTLINE_DELIVERY'")
    assert "DRIFTLINE_DATABASE" not in said


def test_a_command_that_fails_says_how(tmp_path: Path, client: httpx.Client) -> None:
    command(tmp_path, "import sys; print('x' * 9_000_000); sys.exit(3)")
    with pytest.raises(Refused, match="exit code 3: xxx") as caught:
        send(client, "command:act", BODY, "key", tmp_path)
    assert len(str(caught.value)) < 2100
    (tmp_path / "actions.toml").write_text('[command.act]\nrun = ["/no/such/program"]')
    with pytest.raises(Refused, match="could not be started"):
        send(client, "command:act", BODY, "key", tmp_path)


def test_a_command_is_killed_with_what_it_started(tmp_path: Path, client: httpx.Client) -> None:
    code = "import subprocess,sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    command(tmp_path, code, "timeout = 0.3")
    with pytest.raises(Refused, match=r"killed after 0\.3 s"):
        send(client, "command:act", BODY, "key", tmp_path)


def test_a_call_has_its_method_headers_and_body(
    tmp_path: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, received: Any
) -> None:
    port, kept = received
    monkeypatch.setenv("CI_TOKEN", "hush-hush")
    (tmp_path / "actions.toml").write_text(
        f"""[call.retrain]
url = "http://127.0.0.1:{port}/go"
method = "PUT"
headers = {{ Authorization = "Bearer ${{CI_TOKEN}}" }}
body = '{{"why": "${{alarm}}: ${{reason}}", "by": ${{by}}, "none": ${{none}}}}'
"""
    )
    assert send(client, "call:retrain", BODY, "key", tmp_path) == "answered HTTP 202"
    ((asked, headers, body),) = kept
    assert (asked, headers["Authorization"], headers["Idempotency-Key"]) == ("PUT /go", "Bearer hush-hush", "key")
    assert json.loads(body) == {"why": 'lo"w: f2 fell', "by": 0.25, "none": None}
    assert "hush" not in str(read_actions(tmp_path).listing())
    monkeypatch.delenv("CI_TOKEN")
    with pytest.raises(Refused, match="CI_TOKEN"):
        send(client, "call:retrain", BODY, "key", tmp_path)
    monkeypatch.setenv("CI_TOKEN", "hüsh\nhush")
    with pytest.raises(Refused) as caught:
        send(client, "call:retrain", BODY, "key", tmp_path)
    assert "hush" not in str(caught.value)


def test_a_service_is_told_through_apprise(client: httpx.Client, received: Any) -> None:
    port, kept = received
    target = f"json://me:hush@127.0.0.1:{port}/in?+X-Key=hush"
    assert check_target(target) == target
    assert mask(target) == "json://…"
    send(client, target, BODY, "key")
    told = json.loads(kept[0][2])
    assert (told["title"], told["message"], told["type"]) == ("low is ALARM", "f2 fell", "failure")
    with pytest.raises(Refused, match="did not accept") as caught:
        send(client, "json://127.0.0.1:9/hush", BODY, "key")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("target", ["command:rm -rf /", "command:", "call:../x", "syslog://", "dbus://", "exec://x"])
def test_what_would_be_free_text_or_local_is_no_target(target: str) -> None:
    with pytest.raises(InputError, match="can only go to"):
        check_target(target)


@pytest.mark.parametrize(
    "text",
    ["[", "[command.a]", '[command.a]\nrun = ["relative"]', "[command.a]\nrun = []", '[call.a]\nurl = "ftp://x"',
     '[call.a]\nurl = "http://x"\ntimeout = 900', '[call."a b"]\nurl = "http://x"', "[shell.a]"],
)  # fmt: skip
def test_a_wrong_file_is_refused(tmp_path: Path, client: httpx.Client, text: str) -> None:
    (tmp_path / "actions.toml").write_text(text)
    with pytest.raises(InputError, match=r"actions\.toml cannot be used"):
        read_actions(tmp_path)
    with pytest.raises(Refused):
        send(client, "command:a", BODY, "key", tmp_path)


def test_an_action_must_be_in_the_file(tmp_path: Path) -> None:
    actions = read_actions(tmp_path)
    assert actions.listing() == []
    with pytest.raises(NotFoundError, match="there is no action command:gone"):
        actions.check(["log", "command:gone"])
    assert msgspec.json.encode(actions) == b'{"command":{},"call":{}}'
