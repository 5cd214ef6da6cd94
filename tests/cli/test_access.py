"""Tokens, the audit log and the doctor from the command line, and servers that refuse to start open."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftline.cli import checkup_folder
from driftline.cli.checkup_service import service as ask
from driftline.cli.guard import decide, tls_options
from driftline.core.errors import InputError, SetupError
from driftline.resources.access import NewToken
from driftline.service import Service
from driftline.service.door import Door

Cli = Callable[..., Any]


def test_a_token_is_made_listed_and_revoked_in_the_folder(cli: Cli, tmp_path: Path) -> None:
    folder = ("--data", tmp_path)
    made = cli("token", "create", "boss", "--role", "admin", *folder)
    assert made.code == 0
    secret = made.out.strip()
    assert secret.startswith("dl_")
    assert len(secret) == 46
    assert "not shown again" in made.err
    assert secret not in made.err
    with Service(tmp_path) as service:
        found = Door(service.store).token(secret)
        assert found
        assert (found.name, found.role) == ("boss", "admin")
    soon = json.loads(cli("token", "create", "soon", "--days", "1", "--json", *folder).out)
    assert soon["token"]["role"] == "reader"
    assert soon["token"]["expires"]
    listed = cli("token", "list", *folder).out
    assert "boss" in listed
    assert secret not in listed
    assert cli("token", "create", "boss", *folder).code == 2
    assert cli("token", "create", "x", "--role", "root", *folder).code == 2
    assert cli("token", "revoke", "boss", *folder).code == 0
    assert "revoked" in cli("token", "list", *folder).out
    assert cli("token", "revoke", "nobody", *folder).code == 2
    log = json.loads(cli("audit", "--json", *folder).out)
    assert [(row["actor"], row["action"], row["target"]) for row in log] == [
        ("data folder", "revoke_token", "tokens/boss"),
        ("data folder", "create_token", "tokens/soon"),
        ("data folder", "create_token", "tokens/boss"),
    ]
    assert "tokens/soon" in cli("audit", "--target", "tokens/soon", *folder).out


def test_an_open_service_makes_no_tokens_and_says_so(cli: Cli, url: str) -> None:
    done = cli("token", "create", "mine", "--role", "admin")
    assert (done.code, done.out) == (2, "")
    assert "--data" in done.err


def test_where_a_token_is_needed(tmp_path: Path) -> None:
    with Service(tmp_path / "data") as service:
        assert not decide(None, "127.0.0.1", service)
        assert not decide(None, "localhost", service)
        assert not decide("off", "0.0.0.0", service)  # noqa: S104
        for asked, host in ((None, "0.0.0.0"), ("on", "127.0.0.1"), (None, "::"), (None, "example.org")):  # noqa: S104
            with pytest.raises(SetupError, match="no token of an admin") as caught:
                decide(asked, host, service)
            assert "driftline token create" in caught.value.hint
        service.create_token(NewToken("op", "operator"))
        with pytest.raises(SetupError):
            decide("on", "127.0.0.1", service)
        service.create_token(NewToken("boss", "admin"))
        assert decide(None, "0.0.0.0", service)  # noqa: S104
        assert decide("on", "127.0.0.1", service)
        service.revoke_token("boss")
        with pytest.raises(SetupError):
            decide("on", "127.0.0.1", service)
        with pytest.raises(InputError, match="neither on nor off"):
            decide("maybe", "127.0.0.1", service)


def test_a_server_does_not_start_open_to_others(cli: Cli, tmp_path: Path) -> None:
    done = cli("serve", "--data", tmp_path, "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert done.code == 2
    assert "0.0.0.0 needs a token from everyone" in done.err
    assert "to do: make one: driftline token create" in done.err


def test_certificates_are_tried_before_the_start(tmp_path: Path) -> None:
    assert tls_options(None, None) == []
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    with pytest.raises(InputError, match="certificate and its key"):
        tls_options(cert, None)
    with pytest.raises(SetupError, match="cannot be used"):
        tls_options(cert, key)
    cert.write_text("nonsense")
    key.write_text("nonsense")
    with pytest.raises(SetupError, match="cannot be used"):
        tls_options(cert, key)
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a key with")
    words = "req -x509 -newkey rsa:2048 -passout pass:hush -days 1"
    more = "-subj /CN=x -keyout k.pem -out c.pem"
    subprocess.run([openssl, *words.split(), *more.split()], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(SetupError, match="cannot be used") as caught:
        tls_options(cert, key)
    assert "password" in caught.value.evidence + caught.value.hint


def states(findings: list[Any]) -> dict[str, str]:
    return {finding.what: finding.state for finding in findings}


def test_the_doctor_sees_what_is_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(tmp_path / "data") as service:
        service.create_token(NewToken("boss", "admin"))
        service.create_token(NewToken("soon", "reader", days=2))
    found = checkup_folder.folder(tmp_path / "data")
    assert {finding.state for finding in found[:-1]} == {"ok"}
    assert "2 valid tokens, 1 of them of the role admin" in states(found)
    assert (found[-1].state, found[-1].what[:10]) == ("warning", "token soon")
    assert "driftline token create" in found[-1].hint
    monkeypatch.setattr(checkup_folder.time, "time", lambda: 1000.0)
    skewed = [finding for finding in checkup_folder.folder(tmp_path / "data") if finding.state == "wrong"]
    assert [finding.what.partition(" is ")[0] for finding in skewed] == [
        "the clock of the file system",
        "the clock of the store",
    ]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 5))
    assert checkup_folder.folder(tmp_path / "data")[0].state == "warning"


def test_the_doctor_tells_a_free_port_from_a_taken_one() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        [free] = ask(f"http://127.0.0.1:{port}")
        assert (free.state, "the port is free" in free.what) == ("warning", True)
        taken.listen()
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    import threading

    def hang_up() -> None:
        for _ in range(2):
            taken.accept()[0].close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    [found] = ask(f"http://127.0.0.1:{taken.getsockname()[1]}")
    thread.join()
    taken.close()
    assert (found.state, "something listens" in found.what) == ("wrong", True)
