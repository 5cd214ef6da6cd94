"""An operation from its request to its answer, in one thread: never anything but an answer of the service."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from driftline.aws.audit import Deed, target_of
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
from driftline.service.door import ANYONE, Note

_log = logging.getLogger(__name__)


class Performer:
    """Performs operations over a context; with ``authorise`` only those that the signer's role suffices for.

    ``note`` is told of every change before its answer leaves.
    """

    def __init__(
        self,
        context: Context,
        operations: Mapping[str, Operations],
        authorise: Authorise | None,
        note: Note | None = None,
    ) -> None:
        self._context, self._operations, self._authorise, self._note = context, operations, authorise, note

    def perform(self, request: Request, call: Call, request_id: str) -> Answer:
        """The answer to a request, whatever happens."""
        deed = Deed(call.service, call.operation)
        found = self._answered(request, call, request_id, deed)
        if self._note is not None and deed.changes():
            deed.told(self._note, found.status, target_of(call, request))
        return found

    def _answered(self, request: Request, call: Call, request_id: str, deed: Deed) -> Answer:
        try:
            return self._performed(request, call, request_id, deed)
        except AwsError as error:
            return refusal(call, error, request_id)
        except DriftlineError as error:
            return refusal(call, translated(call.service, error), request_id)
        except Exception:
            _log.exception("%s.%s failed, request %s", call.service, call.operation, request_id)
            message = "the server failed on this request: see its log"
            return refusal(call, AwsError("InternalFailure", message, 500), request_id)

    def _performed(self, request: Request, call: Call, request_id: str, deed: Deed) -> Answer:
        self._admit(request, deed)
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
        signed_as.set("" if self._authorise is None else deed.who.role)
        return answer(call, operation, handler(self._context, given), request_id)

    def _handler(self, call: Call) -> Handler | None:
        return self._operations.get(call.service, {}).get(call.operation)

    def admit(self, request: Request, service: str, operation: str, target: str) -> None:
        """Raises :class:`AwsError` for a request that its signer may not make, after the audit log was told."""
        deed = Deed(service, operation)
        try:
            self._admit(request, deed)
        except AwsError as error:
            if self._note is not None:
                deed.told(self._note, error.status, target)
            raise

    def _admit(self, request: Request, deed: Deed) -> None:
        """Learns who asks; raises :class:`AwsError` if their role is too little."""
        deed.who = ANYONE if self._authorise is None else self._authorise(request)
        role, least = deed.who.role, needed(deed.service, deed.operation)
        deed.allowed = self._authorise is None or may(role, least)
        if not deed.allowed:
            message = f"the role {role} may not call {deed.service}:{deed.operation}, which needs the role {least}"
            raise AwsError("AccessDeniedException", message, 403 if deed.service in models.QUERY else 400)
