"""A middleware that captures what another application answers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from driftline.capture.recorder import Recorder, recorder_of
from driftline.resources.endpoints import CaptureSettings, SensitiveColumn, sensitive_column
from driftline.serving.asgi import App, Message, Receive, Scope, Send
from driftline.serving.endpoints import EndpointConfig
from driftline.serving.observed import AWS_ID, MOST_BYTES, Observed


class CaptureMiddleware:
    """Captures the requests of an ASGI application (FastAPI, Starlette, Litestar, …) for one endpoint.

    ``data`` is the data folder of the service; ``path`` the application's path, or all that begin with it when it
    ends with ``*``. ``percent`` of the requests are captured, of ``input`` and ``output`` the sides that are True.
    A body over ``max_body`` bytes is not captured, and counted. ``sensitive`` columns, such as ``input:3:hash``, are
    hidden in the record.

    The answer leaves as the application sends it, chunk by chunk, with one header more: the request's inference id,
    which a label will name (``X-Amzn-SageMaker-Inference-Id``: the caller's, or a new one). The record is written
    after the last chunk. Only answers with a status of 200 to 299 are predictions. Nothing that goes wrong here
    reaches the application or its client; it is counted as dropped.
    """

    def __init__(
        self,
        app: App,
        *,
        data: str | Path,
        endpoint: str,
        path: str,
        percent: float = 100.0,
        input: bool = True,  # noqa: A002 -- the sides are named as everywhere
        output: bool = True,
        methods: Collection[str] = ("POST",),
        max_body: int = MOST_BYTES,
        variant: str = "AllTraffic",
        sensitive: Collection[SensitiveColumn | str] = (),
    ) -> None:
        self.app = app
        self._path, self._prefix = path.removesuffix("*"), path.endswith("*")
        self._methods, self._max_body = frozenset(method.upper() for method in methods), max_body
        columns = tuple(sensitive_column(one) if isinstance(one, str) else one for one in sensitive)
        settings = CaptureSettings(percent, input, output, sensitive=columns)
        self._config = EndpointConfig(endpoint, None, variant, settings)
        self._recorder = recorder_of(data)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands one request to the application; see the class."""
        if scope["type"] != "http" or not self._meant(scope):
            await self.app(scope, receive, send)
            return
        try:
            watch = _Watch(self._recorder, self._config, Observed(scope["headers"], self._max_body))
        except Exception:
            self._recorder.lost(self._config.name)
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, watch.receiving(receive), watch.sending(send))
        finally:
            watch.ended()

    def _meant(self, scope: Scope) -> bool:
        path: str = scope["path"]
        there = path.startswith(self._path) if self._prefix else path == self._path
        return there and scope["method"] in self._methods


class _Watch:
    """One request on its way; whatever fails in looking at it ends the looking, and nothing else."""

    def __init__(self, recorder: Recorder, config: EndpointConfig, observed: Observed) -> None:
        self._recorder, self._config = recorder, config
        self._observed: Observed | None = observed

    def receiving(self, receive: Receive) -> Receive:
        """``receive``, watched."""

        async def watched() -> Message:
            message = await receive()
            if self._observed is not None and message["type"] == "http.request":
                try:
                    self._observed.asked.add(message.get("body", b""), more=message.get("more_body", False))
                except Exception:
                    self._give_up()
            return message

        return watched

    def sending(self, send: Send) -> Send:
        """``send``, watched: the record is written when the last chunk has left."""

        async def watched(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.start":
                message = self._began(message)
            await send(message)
            if kind == "http.response.body":
                self._went_on(message)

        return watched

    def ended(self) -> None:
        """The application is done with the request: an answer that never became whole is counted."""
        if self._observed is not None and self._observed.good:
            self._give_up()

    def _began(self, message: Message) -> Message:
        if self._observed is None:
            return message
        try:
            headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]
            self._observed.answer_begins(message["status"], headers)
            if any(name == AWS_ID for name, _ in headers):
                return message
            named = (AWS_ID, self._observed.inference_id.encode())
            return {**message, "headers": [*message.get("headers", ()), named]}
        except Exception:
            self._give_up()
            return message

    def _went_on(self, message: Message) -> None:
        observed = self._observed
        if observed is None:
            return
        try:
            more = message.get("more_body", False)
            observed.answered.add(message.get("body", b""), more=more)
            if not more:
                self._observed = None
                self._finish(observed)
        except Exception:
            self._give_up()

    def _finish(self, observed: Observed) -> None:
        if not observed.good:
            return
        exchange = observed.exchange()
        if exchange is None:
            self._recorder.lost(self._config.name)
        else:
            self._recorder.record(self._config, exchange)

    def _give_up(self) -> None:
        self._observed = None
        self._recorder.lost(self._config.name)
