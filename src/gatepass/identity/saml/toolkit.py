"""The first verification: python3-saml, with every check it has switched on."""

import base64
from urllib.parse import urlsplit

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from gatepass.identity.saml.idp import Idp
from gatepass.identity.saml.names import PERSISTENT, POST, REDIRECT, NotProven
from gatepass.model.text import shorten

# Its own defaults sign nothing, take SHA-1, and compare `InResponseTo` only where there is one.
_SECURITY = {
    "wantAssertionsSigned": True,
    "wantMessagesSigned": False,
    "wantNameId": True,
    "wantAttributeStatement": False,
    "rejectDeprecatedAlgorithm": True,
    "rejectUnsolicitedResponsesWithInResponseTo": True,
    "allowRepeatAttributeName": True,
    "allowSingleLabelDomains": True,
}


def check_with_toolkit(raw: bytes, *, idp: Idp, entity_id: str, callback: str, request_id: str) -> None:
    """Raise NotProven unless python3-saml takes this response to `request_id`. Goes by the system's clock."""
    at = urlsplit(callback)
    request: dict[str, object] = {
        "https": "on" if at.scheme == "https" else "off",
        "http_host": at.netloc,
        "script_name": at.path,
        "get_data": {},
        "post_data": {},
    }
    try:
        settings = OneLogin_Saml2_Settings(_settings(idp, entity_id, callback))
        response = OneLogin_Saml2_Response(settings, base64.b64encode(raw).decode())
        taken, reason = response.is_valid(request, request_id), response.get_error()
    except Exception as error:  # noqa: BLE001  it raises its own, lxml's and xmlsec's; none of them is a yes
        taken, reason = False, str(error)
    # SECURITY: True itself. Whatever else it might return is no proof.
    if taken is not True:
        raise NotProven(f"is refused by python3-saml: {shorten(reason, most=200)}")


def _settings(idp: Idp, entity_id: str, callback: str) -> dict[str, object]:
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": entity_id,
            "assertionConsumerService": {"url": callback, "binding": POST},
            "NameIDFormat": PERSISTENT,
        },
        "idp": {
            "entityId": idp.entity_id,
            "singleSignOnService": {"url": idp.sign_in_url, "binding": REDIRECT},
            "x509certMulti": {"signing": list(idp.certificates)},
        },
        "security": dict(_SECURITY),
    }
