"""A guarded server over TLS, and that no secret is seen anywhere but where it is made."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from driftline import AccessError, Client, ForbiddenError, InputError, NewAlarm, NewToken, ServiceError, SetupError
from driftline.storage.database import open_store

PROGRAM = (sys.executable, "-P", "-m", "driftline.cli.__main__")
HOOK = "http://user:hush-user@127.0.0.1:9/services/hush-path?token=hush-query"


class Server:
    """``driftline serve`` over TLS with access on, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.environment = {**os.environ, "SSL_CERT_FILE": str(folder / "c.pem"), "NO_PROXY": "127.0.0.1"}
        self.boss = self.command("token", "create", "boss", "--role", "admin", "--data", self.data).stdout.strip()
        words = ("serve", "--data", self.data, "--port", "0", "--access", "on")
        tls = ("--tls-cert", folder / "c.pem", "--tls-key", folder / "k.pem")
        command = [*PROGRAM, *map(str, (*words, *tls))]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=self.environment)
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.url = ""

    def started(self, wait: Callable[..., Any]) -> None:
        """Waits until it answers."""
        wait(lambda: "scheduler ready" in self.text() or self.process.poll() is not None, "the server starts")
        self.url = next(word for line in self.log for word in line.split() if word.startswith("https://"))
        wait(self.healthy, "the server answers")

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)
        self.process.stderr.close()

    def text(self) -> str:
        return "".join(self.log)

    def healthy(self) -> bool:
        with self.client() as client:
            return client.healthy()

    def client(self, token: str | None = None) -> Client:
        return Client(self.url, token=token or self.boss)

    def command(self, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *map(str, words)]
        return subprocess.run(command, env={**self.environment, **more}, capture_output=True, text=True, timeout=120)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self._reader.join(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, wait: Callable[..., Any]) -> Iterator[Server]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder: Path = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    made = (openssl, *words.split(), "-keyout", "k.pem", "-out", "c.pem")
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(folder / "c.pem"))
        server = Server(folder)
        try:
            server.started(wait)
            yield server
        finally:
            server.stop()


def test_a_client_with_a_token_works_and_others_do_not(server: Server, models: tuple[Path, Path]) -> None:
    with server.client() as boss:
        assert boss.guarded()
        boss.deploy("churn", models[0])
        secrets = {role: boss.create_token(NewToken(f"a-{role}", role)).secret for role in ("reader", "writer")}
        assert boss.readiness().ready, boss.readiness()
    with server.client(secrets["writer"]) as writer:
        assert float(writer.invoke("churn", b"1,2,3")) > 0
        assert writer.put_labels("churn", b"id,label\na,1\n", "csv").accepted == 1
        with pytest.raises(ForbiddenError, match="the role writer may not do this"):
            writer.delete_endpoint("churn")
    with server.client(secrets["reader"]) as reader:
        assert [row.name for row in reader.list_endpoints()] == ["churn"]
        with pytest.raises(ForbiddenError):
            reader.invoke("churn", b"1,2,3")
        with pytest.raises(ForbiddenError):
            reader.list_tokens()
    with server.client("dl_wrong") as nobody, pytest.raises(AccessError, match="not valid"):
        nobody.list_runs()
    with pytest.raises(InputError, match="no token"):
        Client(server.url, token="dl_\nx")


def test_certificates_are_believed_or_not(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with server.client() as client:
        assert not client.healthy()
        with pytest.raises(ServiceError, match="no driftline service answers") as caught:
            client.list_runs()
    assert "certificate" in caught.value.evidence.lower()
    monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "k.pem"))
    with pytest.raises(SetupError, match="trusted certificates"):
        server.client()


def test_the_session_of_a_page_is_for_tls_only(server: Server) -> None:
    import ssl

    trusted = ssl.create_default_context(cafile=str(server.folder / "c.pem"))
    with httpx.Client(base_url=server.url, verify=trusted, trust_env=False) as browser:
        answer = browser.post("/login", data={"token": server.boss})
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert "boss (admin)" in browser.get("/").text


def test_commands_use_the_token_of_the_environment(server: Server) -> None:
    known = {"DRIFTLINE_URL": server.url, "DRIFTLINE_TOKEN": server.boss}
    assert server.command("endpoint", "list", **known).returncode == 0
    doctor = server.command("doctor", **known)
    assert doctor.returncode == 0, doctor.stdout
    assert "access is on" in doctor.stdout
    refused = server.command("endpoint", "list", DRIFTLINE_URL=server.url, DRIFTLINE_TOKEN="")
    assert refused.returncode == 2
    assert "DRIFTLINE_TOKEN" in refused.stderr
    blind = server.command("doctor", DRIFTLINE_URL=server.url, DRIFTLINE_TOKEN="")
    assert blind.returncode == 2
    assert "role reader" in blind.stdout


def test_no_secret_is_seen_again(server: Server, models: tuple[Path, Path]) -> None:
    known = {"DRIFTLINE_URL": server.url, "DRIFTLINE_TOKEN": server.boss}
    seen: list[str] = []
    with server.client() as boss:
        boss.deploy("secretive", models[0])
        attributes = {"probability_attribute": "0"}
        boss.create_schedule("hours", endpoint="secretive", cron="0 * * * *", attributes=attributes)
        alarm = NewAlarm(
            "f2", "LessThanThreshold", 0.5, "secretive", "hours", alarm_actions=(HOOK,), ok_actions=(HOOK,)
        )
        boss.put_alarm("secretive", alarm)
        made = boss.create_token(NewToken("planted", "operator")).secret
        run = boss.wait_for_run(boss.run_schedule("hours").id)
        secrets = ("hush", made, server.boss, made.removeprefix("dl_"))
        names = ("secretive", "hours", "planted", run.id)
        paths = boss._http.get("/schema").json()["paths"]
        for path in sorted({re.sub(r"\{[^}]*\}", name, path) for path in paths for name in names}):
            seen.append(boss._http.get(path).text)
        headers = {"Authorization": f"Bearer {made}x"}
        seen.append(boss._http.get("/api/runs", headers=headers).text)
        seen.append(boss._http.get(f"/api/endpoints/{made[:40]}", headers=headers).text)
        seen.append(str(boss._http.post("/login", data={"token": made + "x"}).text))
        seen.append(str(boss.list_audit(limit=1000)))
    for words in (("audit",), ("alarm", "show", "secretive"), ("doctor",)):
        done = server.command(*words, **known)
        seen += [done.stdout, done.stderr]
    seen.append(server.text())
    reports = [path.read_text(errors="replace") for path in (server.data / "reports").rglob("*") if path.is_file()]
    logs = [path.read_text(errors="replace") for path in (server.data / "logs").rglob("*") if path.is_file()]
    assert reports
    assert len(seen) > 100
    for text in (*seen, *reports, *logs):
        assert not [secret for secret in secrets if secret in text], text[:500]
    for path in (*Path("/proc").glob(f"{server.process.pid}/task/*/children"),):
        for child in path.read_text().split():
            assert server.boss not in Path(f"/proc/{child}/cmdline").read_text()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me:hush-pw@127.0.0.1:9/db",
        "postgresql+nonsense://me:hush-pw@127.0.0.1:9/db",
        "mysql://me:hush-pw@127.0.0.1/db?password=hush-pw",
        "://me:hush-pw@x",
    ],
)
def test_the_password_of_a_database_is_not_told(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        open_store(url)
    assert "hush" not in str(caught.value)
