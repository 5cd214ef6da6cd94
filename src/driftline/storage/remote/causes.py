"""Why a store did not do what it was asked: told from what the library says, without keys, in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Cause(NamedTuple):
    """What happened and what to do, in which ``{where}`` is the store's address, ``{keys}`` the variables of its keys.

    ``passing`` may be gone at the next try; ``keys`` may be gone with newer keys.
    """

    name: str
    says: str
    hint: str
    passing: bool = False
    keys: bool = False


class Spoiled(Exception):
    """What a store holds is not what it was given."""


CHECKSUM = Cause(
    "checksum",
    "what {where} holds differs from what was sent: its checksum or size is another",
    "try again; when it stays so, look for a proxy or a disk that changes bytes",
    passing=True,
)
NO_BUCKET = Cause("no such bucket", "the bucket is not there", "make the bucket, or correct its name")
NO_OBJECT = Cause("no such object", "the object is not there", "check the key")
_SERVER = "look whether {where} is up and can be reached from here; what was not stored is still here"
_KEYS = "correct {keys}, or give other keys"
_OTHER = Cause("other", "{where} could not do it", "check that the bucket exists, and that {where} can be reached")


def _passing(name: str, says: str, hint: str = _SERVER) -> Cause:
    return Cause(name, says, hint, passing=True)


_KNOWN: dict[str, Cause] = {
    r"NoSuchBucket|ContainerNotFound|ContainerBeingDeleted": NO_BUCKET,
    r"BadDigest|InvalidDigest|XAmzContentSHA256Mismatch|XAmzContentChecksumMismatch|Md5Mismatch": CHECKSUM,
    r"ExpiredToken|TokenRefreshRequired|RequestExpired|Signature not valid in the specified time": Cause(
        "expired keys", "the keys have expired", "get new ones: renew {keys}, or log in again", keys=True
    ),
    r"RequestTimeTooSkewed": Cause(
        "clock", "the clocks of this machine and of {where} differ too much", "set this machine's clock (NTP)"
    ),
    r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|InvalidSecurity|AuthenticationFailed|invalid_grant": Cause(
        "wrong keys", "the keys are wrong", _KEYS, keys=True
    ),
    r"PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|status code: 301": Cause(
        "other region", "the bucket is in another region", "set AWS_REGION to the bucket's region"
    ),
    r"KMS\.|KMSKey|KeyVault": Cause(
        "encryption key", "the encryption key cannot be used", "correct DRIFTLINE_SSE_KMS_KEY, or its policy"
    ),
    r"NoSuchUpload|InvalidPart": _passing("lost upload", "the upload in parts was lost", "try again"),
    r"status code: (429|500|502|503|504)|SlowDown|ServerBusy|InternalError": _passing(
        "busy", "{where} is not available for now", "wait, and look at the state of {where}"
    ),
    r"metadata\.google\.internal|169\.254\.169\.254": Cause("no keys", "no keys were found for {where}", "set {keys}"),
    r"status code: (401|403)|AccessDenied|PermissionDenied|Unauthenticated|AuthorizationFailure": Cause(
        "denied", "the keys do not have that right, or are wrong", f"give them that right; or {_KEYS}", keys=True
    ),
    r"dns error|failed to lookup|Name or service not known": _passing(
        "unknown host", "the name of {where} is not known", "correct the address, or the name server"
    ),
    r"InvalidCertificate|UnknownIssuer|certificate": Cause(
        "certificate",
        "the certificate of {where} is not trusted",
        "have it signed by an authority that this machine trusts (SSL_CERT_FILE)",
    ),
    r"ConnectionRefused": _passing("refused", "{where} refused the connection"),
    r"kind: Timeout|TimedOut|timed out": _passing("timed out", "{where} did not answer in time"),
    r"ConnectionReset|ConnectionAborted|BrokenPipe|IncompleteMessage|UnexpectedEof|kind: Interrupted": _passing(
        "reset", "the connection to {where} was reset on the way"
    ),
    r"kind: (Connect|Decode|Request),|NetworkUnreachable|HostUnreachable": _passing(
        "unreachable", "{where} cannot be reached"
    ),
}
_PATTERNS = tuple((re.compile(pattern), cause) for pattern, cause in _KNOWN.items())
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>")
_MESSAGE = re.compile(r"<Message>\s*([^<]{1,200})")
_ADDRESS = re.compile(r"https?://[^\s,)]+")
_LINK = re.compile(r"https?://(metadata\.google\.internal|169\.254\.169\.254)")
_QUERY = re.compile(r"(https?://[^\s?\"')]+)\?[^\s\"')]*")
_USER = re.compile(r"(\w+://)[^\s/@]+@")


def cause_of(error: BaseException, key: str = "") -> Cause:
    """The cause that the library's words tell of. The object's key, which may be any words, is none of these.

    >>> cause_of(ValueError("Server returned non-2xx status code: 503 Service Unavailable: <Code>SlowDown</Code>")).name
    'busy'
    """
    if isinstance(error, Spoiled):
        return CHECKSUM
    words = _ADDRESS.sub("", _LINK.sub(r"\1", str(error)))
    text = f"{type(error).__name__}: {words.replace(key, '') if key else words}"
    for pattern, cause in _PATTERNS:
        if pattern.search(text):
            return cause
    return NO_OBJECT if isinstance(error, FileNotFoundError) else _OTHER


def seen(error: BaseException, cause: Cause, where: str, secrets: Iterable[str]) -> str:
    """A cause as evidence, with the server's own words where it said something."""
    text = str(error)
    words = [found[1] for found in (_STATUS.search(text), _CODE.search(text), _MESSAGE.search(text)) if found]
    if not words and cause in (_OTHER, CHECKSUM):
        words = [text.strip().splitlines()[0][:300] if text.strip() else type(error).__name__]
    told = f" ({' '.join(words)})" if words else ""
    return redacted(f"{cause.says.format(where=where)}{told}", secrets)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """A text without the secrets, and without what addresses may hold: queries (signatures are there) and passwords.

    >>> redacted("GET https://me:word@a.net/b?sig=abc failed: key hush", ["hush"])
    'GET https://***@a.net/b?*** failed: key ***'
    """
    text = _USER.sub(r"\1***@", _QUERY.sub(r"\1?***", text))
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "***")
    return text
