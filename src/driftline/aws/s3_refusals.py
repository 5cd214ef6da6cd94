"""What S3 is asked for that no folder of files has: refused, because the S3 server would take it for something else."""

from __future__ import annotations

from urllib.parse import unquote

from driftline.aws.errors import AwsError

_NAMES = """
accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle
logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls policy
policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session
tagging torrent versionId website
"""
_ELSEWHERE = frozenset(_NAMES.split())
_READ_ONLY = frozenset({"location", "versioning", "versions"})
_CONDITIONS = (b"if-match", b"if-none-match")


def refuse(method: str, query: bytes, headers: dict[bytes, bytes]) -> None:
    """Raises ``NotImplemented`` for a request about what there is not: tags, versions, policies, conditional writes."""
    names = {unquote(part.partition("=")[0]) for part in query.decode("latin-1").split("&")}
    unknown = names & (_ELSEWHERE if method in ("GET", "HEAD") else _ELSEWHERE | _READ_ONLY)
    if unknown:
        raise _not_implemented(f"{method} ?{min(unknown)}")
    if method == "PUT" and any(name in headers for name in _CONDITIONS):
        raise _not_implemented("a write on condition")


def _not_implemented(what: str) -> AwsError:
    return AwsError("NotImplemented", f"buckets of driftline are folders of files, which have no {what}", 501)
