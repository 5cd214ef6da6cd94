"""The certificate authority of a data folder: it can vouch for names of amazonaws.com alone, and only to programs that
are told to believe it."""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.core.errors import SetupError
from driftline.storage.files import write_atomic

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

DOMAINS = ("amazonaws.com", "amazonaws.com.cn")
LEAF_DAYS = 30
"""How long what it vouches for lasts."""
# A server reads it when it starts, and may run for long.
_YEARS, _RENEW_DAYS = 3, 365


class Authority:
    """The authority in a folder, made when absent and made anew when it nears its end."""

    def __init__(self, folder: Path) -> None:
        try:
            import cryptography  # noqa: F401
        except ImportError as error:
            hint = "install what it needs: pip install 'driftline[aws]'"
            raise SetupError("certificates need the library cryptography", evidence=str(error), hint=hint) from None
        self._folder = folder
        self._key, self.certificate = self._load() or self._make()

    @property
    def bundle(self) -> Path:
        """The file of authorities to believe: those that AWS clients believe anyway, and this one."""
        return self._folder / "ca-bundle.pem"

    def write_bundle(self) -> Path:
        """Write that file anew; ``AWS_CA_BUNDLE`` in the environment takes the place of the usual authorities."""
        named = os.environ.get("AWS_CA_BUNDLE")
        usual = named if named and Path(named).absolute() != self.bundle.absolute() else _usual_authorities()
        try:
            known = Path(usual).read_bytes() if usual else b""
        except OSError as error:
            hint = "correct AWS_CA_BUNDLE, or unset it"
            raise SetupError(f"cannot read the authorities in {usual}", evidence=str(error), hint=hint) from None
        write_atomic(self.bundle, known.rstrip() + b"\n" + _pem(self.certificate))
        return self.bundle

    def context(self, host: str) -> ssl.SSLContext:
        """What a server needs to answer as a host."""
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(host, key, timedelta(days=LEAF_DAYS)).issuer_name(self.certificate.subject)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = _signed(builder.add_extension(issuer, critical=False), self._key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Python takes certificates from files only.
        path = self._folder / f".{host}.pem"
        try:
            _write_private(path, _private_pem(key) + _pem(signed))
            context.load_cert_chain(path)
        finally:
            path.unlink(missing_ok=True)
        return context

    def _load(self) -> tuple[EllipticCurvePrivateKey, x509.Certificate] | None:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            content = (self._folder / "ca.pem").read_bytes()
        except FileNotFoundError:
            return None
        try:
            key, certificate = load_pem_private_key(content, None), x509.load_pem_x509_certificate(content)
        except ValueError as error:
            hint = "remove the file; another is made when the server starts"
            what = f"{self._folder / 'ca.pem'} holds no key and certificate"
            raise SetupError(what, evidence=str(error), hint=hint) from None
        fresh = certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=_RENEW_DAYS)
        return (key, certificate) if fresh and isinstance(key, EllipticCurvePrivateKey) else None

    def _make(self) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = "driftline, for AWS clients on this machine"
        builder = _builder(name, key, timedelta(days=365 * _YEARS)).issuer_name(_name(name))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        only = x509.NameConstraints([x509.DNSName(domain) for domain in DOMAINS], None)
        made = _signed(builder.add_extension(only, critical=True).add_extension(_signs(), critical=True), key)
        self._folder.mkdir(parents=True, exist_ok=True)
        _write_private(self._folder / "ca.pem", _private_pem(key) + _pem(made))
        return key, made


def _builder(name: str, key: EllipticCurvePrivateKey, lasting: timedelta) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.not_valid_after(now + lasting).add_extension(own, critical=False)


def _signs() -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> x509.Certificate:
    from cryptography.hazmat.primitives.hashes import SHA256

    return builder.sign(key, SHA256())


def _name(text: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])])


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _private_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes only, whole or not at all."""
    temporary = path.with_name(f".{os.getpid()}{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _usual_authorities() -> str | None:
    """The file that AWS clients believe by default."""
    try:
        import certifi
    except ImportError:
        return ssl.get_default_verify_paths().cafile
    return str(certifi.where())
