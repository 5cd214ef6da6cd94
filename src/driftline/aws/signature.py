"""Signatures of version 4, in a header or in an address: who signed a request, if what was signed is what came."""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, unquote

from driftline.aws.errors import AwsError
from driftline.aws.signed_address import address_signature
from driftline.service.access_keys import KeyOwner
from driftline.service.door import Visitor

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
UNSIGNED = "UNSIGNED-PAYLOAD"
_LONGEST = timedelta(days=7)
_QUERY_SERVICES = frozenset({"s3", "sts", "iam", "monitoring"})
_PARTS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
KeyLookup = Callable[[str], KeyOwner | None]


class Signed(NamedTuple):
    """What came: path and query as the client wrote them, headers with small names."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]


class _Claim(NamedTuple):
    """What a signature says about itself. ``lasts`` is how long it may be used, of one in an address."""

    key: str
    day: str
    region: str
    service: str
    moment: datetime
    headers: tuple[str, ...]
    signature: str
    lasts: timedelta | None = None


def verify(request: Signed, keys: KeyLookup, now: datetime, body: bytes | None = None) -> Visitor:
    """Who signed a request; raises :class:`AwsError` as the service would.

    ``body`` is the whole body; None where it has not come yet, which only S3 allows: then whoever reads it must compare
    it with the header ``x-amz-content-sha256``, which is signed.
    """
    if b"AWSAccessKeyId=" in request.query:
        return verify_address(request, keys, now)
    headers = _headers(request)
    claim = _claim(request, headers)
    _check_time(claim, now)
    owner = keys(claim.key)
    if owner is None or owner.revoked:
        raise _unknown(claim.service)
    if owner.over(now):
        raise _error(claim.service, "ExpiredToken", "ExpiredTokenException", "the token of this access key is over")
    text = _string_to_sign(claim, _canonical(request, claim, headers, _content(claim, headers, body)))
    if not hmac.compare_digest(_signature(owner.secret, claim, text), claim.signature.encode()):
        raise _mismatch(claim.service, "the signature is not that of this request; check the secret access key")
    return owner.who


def verify_address(request: Signed, keys: KeyLookup, now: datetime) -> Visitor:
    """Who signed an address of S3 in the older way, which boto3 still takes in its first region."""
    query = dict(_pairs(request.query))
    owner = keys(query.get("AWSAccessKeyId", ""))
    if owner is None or owner.revoked:
        raise _unknown("s3")
    if owner.over(now):
        raise AwsError("ExpiredToken", "the token of this access key is over", 400)
    until = query.get("Expires", "")
    if not until.isdigit() or now.timestamp() > int(until[:15]):
        raise AwsError("AccessDenied", "Request has expired", 403)
    expected = address_signature(owner.secret, request.method, request.path, request.query, request.headers, until)
    if not hmac.compare_digest(expected.encode(), query.get("Signature", "").encode("utf-8", "replace")):
        raise _mismatch("s3", "the signature is not that of this request; check the secret access key")
    return owner.who


def _headers(request: Signed) -> dict[str, str]:
    """Headers by name; several of one name are one, as when they are signed."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(" ".join(_text(value).split()))
    return {name: ",".join(values) for name, values in found.items()}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _pairs(query: bytes) -> list[tuple[str, str]]:
    parts = (part.partition("=") for part in _text(query).split("&") if part)
    return [
        (unquote(name, errors="surrogateescape"), unquote(value, errors="surrogateescape")) for name, _, value in parts
    ]


def _claim(request: Signed, headers: dict[str, str]) -> _Claim:
    given = headers.get("authorization", "")
    if given.startswith(ALGORITHM):
        parts = dict(_PARTS.findall(given))
        moment = headers.get("x-amz-date", "")
        named = [parts.get(name, "") for name in ("Credential", "SignedHeaders", "Signature")]
        claim = _read((*named, moment), None)
        _all_signed(claim, headers)
        return claim
    query = dict(_pairs(request.query))
    if query.get("X-Amz-Algorithm") == ALGORITHM:
        names = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date")
        return _read([query.get(name, "") for name in names], query.get("X-Amz-Expires", ""))
    if given:
        raise AwsError("InvalidRequest", f"signatures are to be of version 4 ({ALGORITHM})")
    raise AwsError("AccessDenied", "this service wants signed requests: driftline aws keys shows an access key", 403)


def _read(given: Sequence[str], lasts: str | None) -> _Claim:
    credential, names, signature, moment = given
    parts = credential.split("/")
    try:
        key, day, region, service, _ = parts
        when = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        allowed = None if lasts is None else timedelta(seconds=int(lasts))
    except ValueError:
        raise AwsError("IncompleteSignature", "the signature lacks a part, or one cannot be read", 400) from None
    if not moment.startswith(day) or parts[4] != "aws4_request" or "host" not in names.split(";"):
        raise AwsError("IncompleteSignature", "date, scope and signed headers do not fit together", 400)
    return _Claim(key, day, region, service, when, tuple(names.split(";")), signature, allowed)


def _all_signed(claim: _Claim, headers: dict[str, str]) -> None:
    """What tells S3 what to do must be signed; else it could be added on the way."""
    loose = [name for name in headers if name.startswith("x-amz-") and name not in claim.headers]
    if claim.service == "s3" and loose:
        raise AwsError("AccessDenied", f"there are headers that were not signed: {', '.join(loose)[:200]}", 403)


def _check_time(claim: _Claim, now: datetime) -> None:
    if claim.lasts is None:
        if abs(claim.moment - now) > SKEW:
            what = f"the request was signed at {claim.moment:%Y-%m-%dT%H:%M:%SZ}, and it is {now:%Y-%m-%dT%H:%M:%SZ}"
            if claim.service == "s3":
                raise AwsError("RequestTimeTooSkewed", what, 403)
            raise _mismatch(claim.service, f"Signature expired: {what}")
    elif not timedelta(0) < claim.lasts <= _LONGEST:
        raise AwsError("AuthorizationQueryParametersError", "X-Amz-Expires is to be 1 to 604800 seconds", 400)
    elif claim.moment - now > SKEW or now > claim.moment + claim.lasts:
        raise AwsError("AccessDenied", "Request has expired", 403)


def _content(claim: _Claim, headers: dict[str, str], body: bytes | None) -> str:
    """The body's hash as it was signed; where the body is there, it is compared."""
    told = headers.get("x-amz-content-sha256")
    if claim.service == "s3":
        return UNSIGNED if claim.lasts is not None and told is None else (told or UNSIGNED)
    actual = hashlib.sha256(body or b"").hexdigest()
    if told not in (None, actual, UNSIGNED):
        raise _mismatch(claim.service, "the body is not what x-amz-content-sha256 tells")
    return told or actual


def _canonical(request: Signed, claim: _Claim, headers: dict[str, str], content: str) -> str:
    pairs = [(quote(a, "-_.~", errors="surrogateescape"), quote(b, "-_.~", errors="surrogateescape"))
             for a, b in _pairs(request.query) if a != "X-Amz-Signature" or claim.lasts is None]  # fmt: skip
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    signed = "".join(f"{name}:{headers.get(name, '')}\n" for name in claim.headers)
    return "\n".join((request.method, _path(request, claim), query, signed, ";".join(claim.headers), content))


def _path(request: Signed, claim: _Claim) -> str:
    """The path as it is signed: S3 takes it as it stands, the others without dots and encoded once more."""
    path = _text(request.path) or "/"
    if claim.service == "s3":
        return path
    plain = posixpath.normpath(path)
    plain = "/" + plain.lstrip("/") + ("/" if path.endswith("/") and plain.strip("/") else "")
    return quote(plain, "/-_.~", errors="surrogateescape")


def _string_to_sign(claim: _Claim, canonical: str) -> str:
    scope = f"{claim.day}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{claim.moment:%Y%m%dT%H%M%SZ}\n{scope}\n{digest}"


def _signature(secret: str, claim: _Claim, text: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (claim.day, claim.region, claim.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex().encode()


def _unknown(service: str) -> AwsError:
    what = "The security token included in the request is invalid: nobody has this access key, or its token is revoked"
    if service == "s3":
        return AwsError("InvalidAccessKeyId", what, 403)
    return _error(service, "InvalidClientTokenId", "UnrecognizedClientException", what)


def _mismatch(service: str, what: str) -> AwsError:
    return _error(service, "SignatureDoesNotMatch", "InvalidSignatureException", what)


def _error(service: str, query_code: str, json_code: str, what: str) -> AwsError:
    """An error as the older services call it, whose answers are XML, or as the others do."""
    if service in _QUERY_SERVICES:
        return AwsError(query_code, what, 403)
    return AwsError(json_code, what, 400)
