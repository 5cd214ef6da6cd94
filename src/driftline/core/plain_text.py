"""Text that can be stored anywhere."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text that every database can hold: no NUL characters, no lone surrogates.

    >>> plain("a\\x00b")
    'a\\\\x00b'
    """
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
