"""The fields of a form, whose names are paths such as ``Dimensions.member.1.Name``, as a document."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from botocore.model import Shape

from driftline.aws.protocol.models import wire_name
from driftline.aws.protocol.scalars import unreadable

_MOST_FIELDS, _DEEPEST = 200_000, 32
_OF_THE_CALL = frozenset({"Action", "Version"})
_OF_THE_SIGNATURE = ("X-Amz-", "AWSAccessKeyId", "Signature", "SecurityToken")
Tree = dict[str, Any]


def fields_of(body: bytes, query: bytes = b"") -> dict[str, str]:
    """The fields of a form's body and of a query string; raises ``SerializationException`` for what is no form.

    >>> fields_of(b"Action=ListMetrics&Namespace=a%2Fb")
    {'Action': 'ListMetrics', 'Namespace': 'a/b'}
    """
    try:
        text = b"&".join(part for part in (query, body) if part).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise unreadable(f"the body is not a form: {error}"[:300]) from None
    return dict(pairs)


def form_document(shape: Shape, fields: dict[str, str]) -> dict[str, Any]:
    """The document that an operation's fields make; single values stay texts.

    What no member of ``shape`` claims stays in the document under its own name, to be refused as unknown.
    """
    root: Tree = {}
    for key, value in fields.items():
        if key not in _OF_THE_CALL and not key.startswith(_OF_THE_SIGNATURE):
            _plant(root, key.split("."), value)
    return _structure(shape, root)


def _plant(root: Tree, path: list[str], value: str) -> None:
    if len(path) > _DEEPEST:
        raise unreadable("the body is nested too deep")
    branch = root
    for part in path[:-1]:
        below = branch.get(part)
        if not isinstance(below, dict):
            below = branch[part] = {}
        branch = below
    if not isinstance(branch.get(path[-1]), dict):
        branch[path[-1]] = value


def _document(shape: Shape, tree: Any) -> Any:
    shaped = {"structure": _structure, "list": _list, "map": _map}.get(shape.type_name)
    return tree if shaped is None or not isinstance(tree, dict) else shaped(shape, tree)


def _structure(shape: Shape, tree: Tree) -> dict[str, Any]:
    document = dict(tree)
    for name, member in shape.members.items():
        written = _name_in_form(member, name)
        if written in tree:
            del document[written]
            document[wire_name(member, name)] = _emptied(member, _document(member, tree[written]))
    return document


def _emptied(shape: Shape, value: Any) -> Any:
    """A list without elements is written as an empty text."""
    return (
        [] if shape.type_name == "list" and value == "" else {} if shape.type_name == "map" and value == "" else value
    )


def _name_in_form(shape: Shape, name: str) -> str:
    if shape.type_name == "list" and _flat(shape) and shape.member.serialization.get("name"):
        return str(shape.member.serialization["name"])
    return wire_name(shape, name)


def _flat(shape: Shape) -> bool:
    return bool(shape.serialization.get("flattened"))


def _list(shape: Shape, tree: Tree) -> Any:
    numbered = tree if _flat(shape) else tree.get(wire_name(shape.member, "member"))
    return [_document(shape.member, item) for item in _in_order(numbered)]


def _map(shape: Shape, tree: Tree) -> Any:
    entries = _in_order(tree if _flat(shape) else tree.get("entry"))
    key, value = wire_name(shape.key, "key"), wire_name(shape.value, "value")
    if not all(isinstance(entry, dict) and isinstance(entry.get(key), str) for entry in entries):
        raise unreadable("an entry of a map has no key")
    return {entry[key]: _document(shape.value, entry.get(value)) for entry in entries}


def _in_order(numbered: Any) -> list[Any]:
    """The values of a branch whose names are numbers, by number; raises where they are none."""
    if not isinstance(numbered, dict) or not all(key.isascii() and key.isdigit() and len(key) < 10 for key in numbered):
        raise unreadable("the elements of a list are not numbered")
    return [numbered[key] for key in sorted(numbered, key=int)]
