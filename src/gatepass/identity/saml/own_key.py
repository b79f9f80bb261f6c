"""Our own key and certificate, for requests that are signed and assertions that are encrypted. Few sites need them."""

import base64
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatepass.errors import BadConfiguration
from gatepass.identity.saml.names import NotProven
from gatepass.identity.saml.options import Options

_LEAST_BITS = 2048
_NONCE, _TAG = 12, 16


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private key, and the certificate that says it is ours."""

    key: rsa.RSAPrivateKey
    certificate: str
    """Base64 of its DER."""

    def sign(self, message: bytes) -> bytes:
        """Return an RSA-SHA256 signature."""
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def decrypt(self, wrapped: bytes, sealed: bytes, *, length: int) -> bytes:
        """Return what was sealed by AES-GCM (nonce, text, tag), with a key of `length` bytes wrapped by RSA-OAEP.

        Raises NotProven, in the same words whatever is wrong.
        """
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303  what the name stands for
        try:
            key = self.key.decrypt(wrapped, oaep)
            if len(key) == length and len(sealed) >= _NONCE + _TAG:
                return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (ValueError, InvalidTag):
            pass
        raise NotProven("cannot be decrypted")


def read_own_key(options: Options, *, section: str) -> OwnKey | None:
    """Return our key, None if there is none. Raises BadConfiguration naming the option."""
    if not options.key and not options.certificate:
        if options.encrypted:
            raise BadConfiguration(f"{section}.encrypted", "needs `key` and `certificate`")
        return None
    key, certificate = _key(options.key, section), _certificate(options.certificate, section)
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or public.public_numbers() != key.public_key().public_numbers():
        raise BadConfiguration(f"{section}.certificate", "is of another key than `key`")
    return OwnKey(key, base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode())


def _key(text: str, section: str) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise BadConfiguration(f"{section}.key", f"must be a PEM private key, RSA of at least {_LEAST_BITS} bits")
    return key


def _certificate(path: str, section: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes())
    except (OSError, ValueError):
        raise BadConfiguration(f"{section}.certificate", f"{path!r} is no PEM file with a certificate") from None
