"""What every writer of answers needs: the members of a structure that are there, each with its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import Shape


def given_members(shape: Shape, value: Mapping[str, Any]) -> Iterator[tuple[str, Shape, Any]]:
    """Name, shape and value of each member that is not None; :class:`ValueError` for one that the shape lacks."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{shape.name} is a structure, not {type(value).__name__}")
    members = shape.members
    for name, item in value.items():
        if name not in members:
            raise ValueError(f"{shape.name} has no member {name!r}")
        if item is not None:
            yield name, members[name], item
