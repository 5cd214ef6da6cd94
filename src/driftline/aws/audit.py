"""What the audit log is told of AWS clients: every operation that changes something, done, failed or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from driftline.aws.errors import AwsError
from driftline.aws.protocol import models
from driftline.aws.protocol.calls import Call
from driftline.aws.protocol.forms import fields_of
from driftline.aws.requests import Request, content_of
from driftline.aws.roles import needed
from driftline.service.door import NOBODY, Note, Visitor

_NAMING = re.compile(r".*Names?|[Rr]esourceA(rn|RN)|KeyId")


class Deed(msgspec.Struct):
    """A request to an operation as far as it has come: who asks, once that is known, and whether they may."""

    service: str
    operation: str
    who: Visitor = NOBODY
    allowed: bool = False

    def told(self, note: Note, status: int, target: str) -> None:
        """Tell the audit log how a change ended; whoever has no key adds one number to it and nothing else."""
        outcome = "done" if status < 400 else f"{'failed' if self.allowed else 'refused'} with {status}"
        if self.who.role:
            often = needed(self.service, self.operation) == "writer"
            note(self.who, f"{self.service}.{self.operation}", target, outcome, often)
        else:
            note(self.who, "refused", "", outcome, True)

    def changes(self) -> bool:
        """Whether it is more than reading."""
        return needed(self.service, self.operation) != "reader"


def target_of(call: Call, request: Request) -> str:
    """What a request is about: the first member of its operation that names something. Empty where none does."""
    try:
        content = content_of(request)
        found = msgspec.json.decode(content or b"{}") if call.protocol == "json" else fields_of(content, request.query)
    except (AwsError, msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    operation = models.operation(call.service, call.operation)
    if operation is None or operation.input_shape is None or not isinstance(found, dict):
        return ""
    names = (_named(found, member) for member in operation.input_shape.members if _NAMING.fullmatch(member))
    return next(filter(None, names), "")


def _named(fields: Mapping[str, object], member: str) -> str:
    """The text of a member, or the texts of a list with commas between them.

    >>> _named({"AlarmNames": ["a", "b"]}, "AlarmNames"), _named({"AlarmNames.member.1": "a"}, "AlarmNames")
    ('a,b', 'a')
    """
    value = fields.get(member) or [fields[name] for name in fields if name.startswith(f"{member}.member.")]
    texts = value if isinstance(value, list) else [value]
    return ",".join(text for text in texts if isinstance(text, str))
