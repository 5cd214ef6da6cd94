"""Signatures, with botocore's own signers as the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from driftline.aws.errors import AwsError
from driftline.aws.signature import Signed, verify
from driftline.service.access_keys import KeyOwner
from driftline.service.door import Visitor

WHO = Visitor("me", "writer")
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


def owner(revoked: bool = False, expires: datetime | None = None) -> KeyOwner:
    return KeyOwner(WHO, "secret", revoked, expires)


def came(request: AWSRequest) -> Signed:
    """A signed request as it would come."""
    parts = urlsplit(request.url)
    headers = [(b"host", parts.netloc.encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    return Signed(request.method, parts.path.encode(), parts.query.encode(), headers)


def signed(service: str, path: str = "/", query: str = "", body: bytes = b"") -> Signed:
    request = AWSRequest("POST", f"http://127.0.0.1:8080{path}{query}", headers={"x-amz-target": "a  b"}, data=body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials("AK", "secret"), service, "us-east-1").add_auth(request)
    return came(request)


@given(
    st.sampled_from(["s3", "sagemaker", "sts"]),
    st.lists(TEXTS, max_size=3),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.binary(max_size=20),
)
def test_what_botocore_signs_is_verified(service: str, path: list[str], query: dict[str, str], body: bytes) -> None:
    pairs = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query.items())
    address = "/" + "/".join(quote(part, safe="~") for part in path)
    request = signed(service, address, f"?{pairs}" if pairs else "", body)
    now = datetime.now(UTC)
    assert verify(request, lambda _: owner(), now, None if service == "s3" else body) == WHO
    with pytest.raises(AwsError):
        verify(request._replace(path=request.path + b"x"), lambda _: owner(), now, body)


def test_a_signed_address_is_verified_until_it_is_over() -> None:
    request = AWSRequest("GET", "http://127.0.0.1:8080/bucket/a%20b?response-content-type=text%2Fcsv")
    S3SigV4QueryAuth(Credentials("AK", "secret"), "s3", "us-east-1", expires=60).add_auth(request)
    now = datetime.now(UTC)
    assert verify(came(request), lambda _: owner(), now) == WHO
    with pytest.raises(AwsError, match="expired"):
        verify(came(request), lambda _: owner(), now + timedelta(minutes=2))


@pytest.mark.parametrize(
    ("service", "found", "later", "code"),
    [
        ("s3", None, 0, "InvalidAccessKeyId"),
        ("sts", None, 0, "InvalidClientTokenId"),
        ("sagemaker", owner(revoked=True), 0, "UnrecognizedClientException"),
        ("sts", owner(expires=datetime(2020, 1, 1, tzinfo=UTC)), 0, "ExpiredToken"),
        ("sagemaker", owner(expires=datetime(2020, 1, 1, tzinfo=UTC)), 0, "ExpiredTokenException"),
        ("s3", owner(), 16, "RequestTimeTooSkewed"),
        ("sts", owner(), 16, "SignatureDoesNotMatch"),
        ("sagemaker", owner()._replace(secret="other"), 0, "InvalidSignatureException"),
    ],
)
def test_whoever_may_not_is_told_as_the_service_tells(
    service: str, found: KeyOwner | None, later: int, code: str
) -> None:
    with pytest.raises(AwsError) as raised:
        verify(signed(service), lambda _: found, datetime.now(UTC) + timedelta(minutes=later), b"")
    assert raised.value.code == code


def test_another_body_than_the_signed_one_is_refused() -> None:
    with pytest.raises(AwsError, match="signature"):
        verify(signed("sagemaker", body=b"{}"), lambda _: owner(), datetime.now(UTC), b"[]")
