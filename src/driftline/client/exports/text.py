"""Text as other programs read it: quoted in YAML, in PromQL, and in templates of annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str) -> str:
    """Text in double quotes as YAML and PromQL both read it: what is not printable is escaped by its number.

    >>> print(quoted('a "b"'), quoted("tab\\there"), quoted("\\u2028"))
    "a \\"b\\"" "tab\\there" "\\u2028"
    """
    return '"' + "".join(_SHORT.get(character) or _shown(character) for character in text) + '"'


def _shown(character: str) -> str:
    if character.isprintable() and character != "\ufeff":
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def untemplated(text: str) -> str:
    """Text in an annotation or a label, where two braces would begin a template.

    >>> untemplated("{{ $value }}")
    '{{"{{"}} $value }}'
    """
    return text.replace("{{", '{{"{{"}}')


def selector(name: str, labels: Mapping[str, str]) -> str:
    """A PromQL selector of one metric.

    >>> selector("up", {"job": "driftline"})
    'up{job="driftline"}'
    """
    inside = ", ".join(f"{label}={quoted(value)}" for label, value in labels.items())
    return f"{name}{{{inside}}}"


def yaml(document: Any) -> str:
    """A document of mappings, lists, texts and numbers as YAML. Texts are always quoted, so none is taken for another
    kind of value.

    >>> print(yaml({"groups": [{"name": "a", "rules": []}], "on": True}), end="")
    groups:
      - name: "a"
        rules: []
    on: true
    """
    return "\n".join(_lines(document)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entry(f"{key}:", item)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for item in value:
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple) and value:
        yield key
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key} {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "{}" if isinstance(value, Mapping) else str(list(value) if isinstance(value, tuple) else value)
