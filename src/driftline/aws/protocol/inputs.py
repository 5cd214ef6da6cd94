"""Bodies to inputs: JSON or a form to a document by the names and types of an operation's model, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from botocore.model import OperationModel, Shape

from driftline.aws.errors import AwsError
from driftline.aws.protocol.constraints import Failures, check, place_of
from driftline.aws.protocol.forms import form_document
from driftline.aws.protocol.models import wire_name
from driftline.aws.protocol.scalars import text_value, unreadable, value_of

Scalar = Callable[[str, Any, str], Any]


def from_json(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The input of an operation in a JSON body; an empty body is an empty input.

    Raises :class:`AwsError`: ``SerializationException`` for what cannot be read, ``ValidationException`` for what the
    model does not allow.
    """
    try:
        document = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(f"the body is not JSON: {error}"[:300]) from None
    except RecursionError:
        raise _too_deep() from None
    return _input(operation, document, value_of)


def from_form(operation: OperationModel, fields: dict[str, str]) -> dict[str, Any]:
    """The input of an operation in the fields of a form; raises :class:`AwsError` as :func:`from_json` does."""
    shape = operation.input_shape
    document = {} if shape is None else form_document(shape, fields)
    return _input(operation, document, text_value)


def _input(operation: OperationModel, document: Any, scalar: Scalar) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise unreadable("the body is not an object")
    shape, failures = operation.input_shape, Failures()
    if shape is None:
        return {}
    try:
        given: dict[str, Any] = _Reader(scalar, failures).read(shape, document, "")
        check(shape, given, "", failures)
    except RecursionError:
        raise _too_deep() from None
    failures.raise_any()
    return given


def _too_deep() -> AwsError:
    return unreadable("the body is nested too deep")


class _Reader:
    """Reads documents by shapes. Members that a shape does not have are failures, wrong types end the reading."""

    def __init__(self, scalar: Scalar, failures: Failures) -> None:
        self._scalar, self._failures = scalar, failures

    def read(self, shape: Shape, raw: Any, place: str) -> Any:
        """A document as a value of a shape; ``null`` stays None."""
        if raw is None or getattr(shape, "is_document_type", False):
            return raw
        several = {"structure": self._structure, "list": self._list, "map": self._map}.get(shape.type_name)
        return several(shape, raw, place) if several else self._scalar(shape.type_name, raw, place)

    def _structure(self, shape: Shape, raw: Any, place: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise unreadable(f"an object is expected at '{place}'")
        names = {wire_name(member, name): name for name, member in shape.members.items()}
        found: dict[str, Any] = {}
        for key, value in raw.items():
            name = names.get(key)
            if name is None:
                self._failures.add(f"Member '{place_of(place, key[:100])}' is not known to this version of the service")
            elif value is not None:
                found[name] = self.read(shape.members[name], value, place_of(place, name))
        return found

    def _list(self, shape: Shape, raw: Any, place: str) -> list[Any]:
        if not isinstance(raw, list):
            raise unreadable(f"a list is expected at '{place}'")
        return [self.read(shape.member, item, f"{place}.{number}.member") for number, item in enumerate(raw, 1)]

    def _map(self, shape: Shape, raw: Any, place: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise unreadable(f"an object is expected at '{place}'")
        return {key: self.read(shape.value, value, f"{place}.{key[:100]}.member") for key, value in raw.items()}
