"""InvokeEndpoint through real clients: predictions as they are, errors as the runtime has them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model of three features."""
    path: Path = tmp_path_factory.mktemp("model") / "model.json"
    rows = np.random.default_rng(7).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, (rows[:, 0] > 0).astype(int))
    xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 3).save_model(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def invoke(shared_server: Any, artifact: bytes) -> Callable[..., dict[str, Any]]:
    """Asks the endpoint churn."""
    shared_server.service.deploy("churn", "model.json", artifact)
    runtime = shared_server.client("sagemaker-runtime")

    def call(body: bytes | str = "1,2,3", name: str = "churn", **more: Any) -> dict[str, Any]:
        given = {"EndpointName": name, "ContentType": "text/csv", "Body": body, **more}
        answer: dict[str, Any] = runtime.invoke_endpoint(**given)
        return answer

    return call


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    found: dict[str, Any] = raised.value.response
    return found | found["Error"] | {"Status": found["ResponseMetadata"]["HTTPStatusCode"]}


def test_predictions_are_answered_and_captured(shared_server: Any, invoke: Callable[..., dict[str, Any]]) -> None:
    answer = invoke(InferenceId="mine", CustomAttributes="a=1")
    assert 0 < float(answer["Body"].read()) < 1
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"].startswith("text/csv")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
    shared_server.worker.captures.rotate()
    files = list((shared_server.service.layout.data / "captures" / "churn").rglob("*.jsonl"))
    assert any("mine" in path.read_text() for path in files)


def test_endpoints_that_are_not_there(invoke: Callable[..., dict[str, Any]]) -> None:
    error = refused(lambda: invoke(name="none"))
    assert (error["Code"], error["Status"]) == ("ValidationError", 400)
    assert "there is no endpoint 'none'" in error["Message"]


@pytest.mark.parametrize(("body", "kind", "status"), [("1,2", "text/csv", 400), ("x", "image/png", 415)])
def test_what_a_model_refuses(invoke: Callable[..., dict[str, Any]], body: str, kind: str, status: int) -> None:
    error = refused(lambda: invoke(body, ContentType=kind))
    assert (error["Code"], error["Status"], error["OriginalStatusCode"]) == ("ModelError", 424, status)
    assert f"Received client error ({status}) from model" in error["Message"]
    assert error["OriginalMessage"] in error["Message"]


def test_bodies_that_are_too_large(invoke: Callable[..., dict[str, Any]]) -> None:
    error = refused(lambda: invoke(b"1,2,3\n" * (1 << 20) + b"1,2,3\n"))
    assert (error["Code"], error["Status"]) == ("ValidationError", 400)
    assert "larger than 6,291,456 bytes" in error["Message"]


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """A model's own server, which fails, and keeps what it was sent."""

    seen: dict[str, str] = {}  # noqa: RUF012 - one server a test

    def do_POST(self) -> None:
        """Answers 500."""
        type(self).seen = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"the model \xff broke"
        self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/invocations"
    server.shutdown()
    thread.join()
    server.server_close()


def test_models_that_fail_elsewhere(shared_server: Any, elsewhere: str) -> None:
    shared_server.service.register_endpoint("away", upstream=elsewhere)
    runtime = shared_server.client("sagemaker-runtime")
    error = refused(lambda: runtime.invoke_endpoint(EndpointName="away", ContentType="text/csv", Body="1"))
    assert (error["Code"], error["Status"], error["OriginalStatusCode"]) == ("ModelError", 424, 500)
    assert error["OriginalMessage"] == "the model � broke"
    assert "Received server error (500) from model" in error["Message"]
    assert "authorization" not in Elsewhere.seen


def test_other_operations_of_the_runtime_are_not_there(shared_server: Any) -> None:
    runtime = shared_server.client("sagemaker-runtime")
    error = refused(lambda: runtime.invoke_endpoint_async(EndpointName="churn", InputLocation="s3://b/k"))
    assert error["Code"] == "UnknownOperationException"
