"""What S3 is asked for that no folder of files has: refused, because the S3 server would take it for something else."""

from __future__ import annotations

from urllib.parse import unquote, unquote_to_bytes

from driftline.aws.errors import AwsError

_NAMES = """
accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle
logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls policy
policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session
tagging torrent versionId website
"""
_ELSEWHERE = frozenset(_NAMES.split())
_READ_ONLY = frozenset({"location", "versioning", "versions"})
_LONGEST_NAME = 255
"""The most bytes that a name in a folder may have."""
_CONDITIONS = (b"if-match", b"if-none-match")


def refuse(method: str, path: bytes, query: bytes, headers: dict[bytes, bytes]) -> None:
    """Raises ``NotImplemented`` for a request about what there is not: tags, versions, policies, conditional writes;
    and ``KeyTooLongError`` for writing what no folder can hold."""
    if method in ("PUT", "POST"):
        longest = max(len(unquote_to_bytes(name)) for name in path.split(b"/"))
        if longest > _LONGEST_NAME:
            what = f"between two slashes a key has at most {_LONGEST_NAME} bytes here, and this one has {longest:,}"
            raise AwsError("KeyTooLongError", what, 400)
    names = {unquote(part.partition("=")[0]) for part in query.decode("latin-1").split("&")}
    unknown = names & (_ELSEWHERE if method in ("GET", "HEAD") else _ELSEWHERE | _READ_ONLY)
    if unknown:
        raise _not_implemented(f"{method} ?{min(unknown)}")
    if method == "PUT" and any(name in headers for name in _CONDITIONS):
        raise _not_implemented("a write on condition")


def _not_implemented(what: str) -> AwsError:
    return AwsError("NotImplemented", f"buckets of driftline are folders of files, which have no {what}", 501)
