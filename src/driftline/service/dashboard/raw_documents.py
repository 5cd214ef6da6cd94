"""One value of a large JSON document, without decoding the others."""

from __future__ import annotations

from typing import Any

import msgspec

_LEVEL = msgspec.json.Decoder(dict[str, msgspec.Raw])


def part(document: bytes | msgspec.Raw, *keys: str) -> Any:
    """What stands at the end of a path of keys; None where the path leads nowhere.

    >>> part(b'{"a": {"b": [1, 2]}, "c": 3}', "a", "b")
    [1, 2]
    >>> part(b'{"a": 1}', "a", "b") is None
    True
    """
    try:
        for key in keys:
            found = _LEVEL.decode(document).get(key)
            if found is None:
                return None
            document = found
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
