"""Names of SAML 2.0 and XML signatures, and the algorithms that are taken."""

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTIONS = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"

RESPONSE = f"{{{PROTOCOL}}}Response"
STATUS = f"{{{PROTOCOL}}}Status"
ASSERTION = f"{{{ASSERTIONS}}}Assertion"
ENCRYPTED_ASSERTION = f"{{{ASSERTIONS}}}EncryptedAssertion"
ISSUER = f"{{{ASSERTIONS}}}Issuer"
SIGNATURE = f"{{{DSIG}}}Signature"

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DSIG + "enveloped-signature"
RSA_SHA256 = _MORE + "rsa-sha256"
SIGNATURES = frozenset(_MORE + f"{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512))
"""SHA-1, MD5, DSA and HMAC are not among them."""
DIGESTS = frozenset({XENC + "sha256", _MORE + "sha384", XENC + "sha512"})

GCM = {f"http://www.w3.org/2009/xmlenc11#aes{bits}-gcm": bits // 8 for bits in (128, 192, 256)}
"""Ciphers of encrypted assertions, and the bytes of their keys. CBC tells a patient attacker the text."""
OAEP = XENC + "rsa-oaep-mgf1p"
"""How their key is wrapped. RSA 1.5 tells it to a patient attacker."""


class NotProven(ValueError):
    """What came back proves nothing. Says why, for the log."""
