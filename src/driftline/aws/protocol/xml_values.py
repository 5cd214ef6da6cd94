"""Outputs as XML: nested elements by the names of the model, lists and maps flat where it says so."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import Shape

from driftline.aws.protocol.json_values import number_text
from driftline.aws.protocol.models import wire_name
from driftline.aws.protocol.scalars import epoch, instant
from driftline.aws.protocol.shaped import given_members

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, inside: str) -> str:
    """An element around what is written already.

    >>> element("Code", "NoSuchEntity")
    '<Code>NoSuchEntity</Code>'
    """
    return f"<{name}>{inside}</{name}>"


def escaped(text: str) -> str:
    """A text as XML has it; characters that XML cannot have are shown as what cannot be shown.

    >>> escaped("a<b\\r\\x00")
    'a&lt;b&#13;\ufffd'
    """
    return escape(_NO_XML.sub("\ufffd", text), {"\r": "&#13;"})


def xml_members(shape: Shape, value: dict[str, Any]) -> str:
    """The members of a structure as elements; :class:`ValueError` for what the shape does not have."""
    return "".join(_named(member, name, item) for name, member, item in given_members(shape, value))


def _named(shape: Shape, name: str, value: Any) -> str:
    """A member with its element or, where it is flat, its elements."""
    if not shape.serialization.get("flattened"):
        return element(wire_name(shape, name), _inside(shape, value))
    if shape.type_name == "list":
        each = wire_name(shape.member, wire_name(shape, name))
        return "".join(element(each, _inside(shape.member, item)) for item in value)
    return "".join(element(wire_name(shape, name), entry) for entry in _entries(shape, value))


def _inside(shape: Shape, value: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        return xml_members(shape, value)
    if kind == "list":
        each = wire_name(shape.member, "member")
        return "".join(element(each, _inside(shape.member, item)) for item in value)
    if kind == "map":
        return "".join(element("entry", entry) for entry in _entries(shape, value))
    return escaped(_text(shape, value))


def _entries(shape: Shape, value: dict[str, Any]) -> list[str]:
    key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
    return [
        element(key_name, _inside(shape.key, key)) + element(value_name, _inside(shape.value, item))
        for key, item in value.items()
        if item is not None
    ]


def _text(shape: Shape, value: Any) -> str:
    kind = shape.type_name
    if kind == "timestamp":
        stamped = shape.serialization.get("timestampFormat") == "unixTimestamp"
        return str(epoch(value)) if stamped else instant(value)
    if kind == "blob":
        return b64encode(value).decode()
    if kind == "boolean":
        return "true" if value else "false"
    if kind in ("float", "double"):
        return number_text(value)
    if kind in ("integer", "long"):
        return str(int(value))
    if not isinstance(value, str):
        raise ValueError(f"{shape.name} is a {kind}, not {type(value).__name__}")
    return value
