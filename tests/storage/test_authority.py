"""The authority of a data folder: who believes it, for which names, and for how long."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftline.core.errors import SetupError
from driftline.storage import authority
from driftline.storage.authority import Authority


def handshake(server: ssl.SSLContext, bundle: Path, host: str) -> ssl.SSLObject:
    """A client that believes a bundle and asks for a host, after it has met a server; no network in between."""
    client = ssl.create_default_context(cafile=str(bundle))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(back, there, server_hostname=host)
    other = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    one.getpeercert()
    return one


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    return Authority(tmp_path / "aws")


@pytest.mark.parametrize("host", ["sts.eu-central-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"])
def test_names_of_amazon_are_vouched_for(made: Authority, host: str) -> None:
    met = handshake(made.context(host), made.write_bundle(), host).getpeercert()
    assert met is not None
    assert met["subjectAltName"] == (("DNS", host),)
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(met["notAfter"])), UTC)
    assert timedelta(days=29) < ends - datetime.now(UTC) <= timedelta(days=authority.LEAF_DAYS)


@pytest.mark.parametrize("host", ["example.com", "amazonaws.com.example.com", "notamazonaws.com", "localhost"])
def test_nobody_believes_it_other_names(made: Authority, host: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(made.context(host), made.write_bundle(), host)


def test_its_certificates_are_for_one_host_and_for_those_who_are_told(made: Authority, tmp_path: Path) -> None:
    context = made.context("sts.us-east-1.amazonaws.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(context, made.write_bundle(), "iam.amazonaws.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        handshake(context, Authority(tmp_path / "another").write_bundle(), "sts.us-east-1.amazonaws.com")


def test_keys_are_for_their_owner_alone(made: Authority, tmp_path: Path) -> None:
    made.context("sts.us-east-1.amazonaws.com")
    files = list((tmp_path / "aws").iterdir())
    assert [file.name for file in files] == ["ca.pem"], "keys of hosts are not left behind"
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert b"PRIVATE" not in made.write_bundle().read_bytes()


def test_it_stays_until_it_nears_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Authority(tmp_path)
    assert Authority(tmp_path).certificate == first.certificate
    (tmp_path / "ca.pem").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(authority, "_YEARS", 364 / 365)
        ending = Authority(tmp_path)
    renewed = Authority(tmp_path)
    assert renewed.certificate != ending.certificate
    assert renewed.certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1000)
    assert Authority(tmp_path).certificate == renewed.certificate
    assert stat.S_IMODE((tmp_path / "ca.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_broken_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(SetupError, match="holds no key and certificate") as caught:
        Authority(tmp_path)
    assert "remove the file" in caught.value.hint


def test_the_user_s_own_authorities_stay_believed(
    made: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = made.write_bundle().read_bytes()
    assert usual.count(b"BEGIN CERTIFICATE") > 50
    own = Authority(tmp_path / "corporate").write_bundle()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(own))
    assert made.write_bundle().read_bytes().startswith(own.read_bytes().rstrip())
    monkeypatch.setenv("AWS_CA_BUNDLE", str(made.bundle))
    assert made.write_bundle().read_bytes() == usual, "it is not added to itself"
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "absent"))
    with pytest.raises(SetupError, match="cannot read the authorities"):
        made.write_bundle()
