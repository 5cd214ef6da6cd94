"""An operation from its request to its answer, in one thread: never anything but an answer of the service."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from driftline.aws.context import Context, Handler, Operations
from driftline.aws.errors import AwsError, translated
from driftline.aws.protocol import models
from driftline.aws.protocol.answers import Answer, answer, refusal
from driftline.aws.protocol.calls import Call
from driftline.aws.protocol.forms import fields_of
from driftline.aws.protocol.inputs import from_form, from_json
from driftline.aws.requests import Authorise, Request, content_of, signed_as
from driftline.aws.roles import needed
from driftline.core.errors import DriftlineError
from driftline.resources.access import may

_log = logging.getLogger(__name__)


class Performer:
    """Performs operations over a context; with ``authorise`` only those that the signer's role suffices for."""

    def __init__(self, context: Context, operations: Mapping[str, Operations], authorise: Authorise | None) -> None:
        self._context, self._operations, self._authorise = context, operations, authorise

    def perform(self, request: Request, call: Call, request_id: str) -> Answer:
        """The answer to a request, whatever happens."""
        try:
            return self._performed(request, call, request_id)
        except AwsError as error:
            return refusal(call, error, request_id)
        except DriftlineError as error:
            return refusal(call, translated(call.service, error), request_id)
        except Exception:
            _log.exception("%s.%s failed, request %s", call.service, call.operation, request_id)
            message = "the server failed on this request: see its log"
            return refusal(call, AwsError("InternalFailure", message, 500), request_id)

    def _performed(self, request: Request, call: Call, request_id: str) -> Answer:
        role = self.admitted(request, call.service, call.operation)
        operation, handler = models.operation(call.service, call.operation), self._handler(call)
        if operation is None or handler is None:
            raise AwsError(
                "UnknownOperationException",
                f"The action {call.operation} is not valid for this web service: "
                f"driftline does not answer {call.service} {call.operation}",
            )
        content = content_of(request)
        if call.protocol == "json":
            given = from_json(operation, content)
        else:
            given = from_form(operation, fields_of(content, request.query))
        signed_as.set(role)
        return answer(call, operation, handler(self._context, given), request_id)

    def _handler(self, call: Call) -> Handler | None:
        return self._operations.get(call.service, {}).get(call.operation)

    def admitted(self, request: Request, service: str, operation: str) -> str:
        """The role behind a request, empty where nobody asks for one; raises :class:`AwsError` if it is too little."""
        if self._authorise is None:
            return ""
        role, least = self._authorise(request), needed(service, operation)
        if not may(role, least):
            message = f"the role {role} may not call {service}:{operation}, which needs the role {least}"
            raise AwsError("AccessDeniedException", message, 403 if service in models.QUERY else 400)
        return role
