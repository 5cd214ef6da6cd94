"""Which role may use which route. One table; a route that no line of it names falls under its method's rule."""

from __future__ import annotations

import re

from driftline.resources.access import Role

OPEN = "open"
"""What needs nobody behind it: signs of life, the way in, and the style sheet of the page that asks for a token."""

_RULES: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/(healthz|readyz|login)", OPEN),
    ("GET", r"/static/[^/]+", OPEN),
    ("POST", r"/(login|logout)", OPEN),
    # It changes nothing but the reader's own browser.
    ("POST", r"/timezone", "reader"),
    # What serving applications do: ask models, tell what was asked elsewhere, and tell the truth.
    ("POST", r"/endpoints/[^/]+/invocations", "writer"),
    ("POST", r"/api/endpoints/[^/]+/(labels|captures|events)(/.*)?", "writer"),
    ("POST", r"/api/metrics", "writer"),
    # What shows or changes who may do what.
    ("*", r"/api/(tokens|audit)(/.*)?", "admin"),
    ("GET", r".*", "reader"),
    ("*", r".*", "operator"),
)
_COMPILED = tuple((method, re.compile(path), needed) for method, path, needed in _RULES)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def needed(method: str, path: str) -> Role | str:
    """The role that a request needs, or :data:`OPEN`.

    >>> needed("GET", "/api/runs"), needed("DELETE", "/api/endpoints/churn"), needed("HEAD", "/healthz")
    ('reader', 'operator', 'open')
    >>> needed("GET", "/api/audit"), needed("POST", "/endpoints/churn/invocations")
    ('admin', 'writer')
    """
    asked = "GET" if method in _READS else method
    # The router passes over empty parts of a path, so they may not lead around a rule either.
    plain = "/" + "/".join(part for part in path.split("/") if part)
    return next(role for verb, rule, role in _COMPILED if verb in ("*", asked) and rule.fullmatch(plain) is not None)


def changes(method: str) -> bool:
    """Whether a method may change something."""
    return method not in _READS
