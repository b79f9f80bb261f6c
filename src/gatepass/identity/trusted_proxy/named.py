"""A plain name in a header, from a proxy that nobody else can pass for: on a unix socket, or by its certificate."""

from collections.abc import Sequence

from gatepass.errors import BadConfiguration
from gatepass.identity.trusted_proxy.header import sole_value
from gatepass.model.identity import SUBJECT_LENGTH, Carrier, Identity, NotProven, Refusal, Refused


class NamedHeader:
    """Believes a header that came over a unix socket, or from the client whose certificate is made out to the proxy."""

    def __init__(self, header: str, provider_id: str, *, certificate: str) -> None:
        """Read `header`, a name in lower case, of a proxy with a certificate made out to `certificate`, if any."""
        self._header = header
        self._id = provider_id
        self._certificate = certificate

    def require_carrier(self, *, is_socket: bool, asks_certificates: bool) -> None:
        """Need one of the two: a name is proven by nothing but where it comes from."""
        if not (is_socket or (self._certificate and asks_certificates)):
            raise BadConfiguration(
                f"providers.{self._id}.trust",
                "a plain name is believed on a unix socket, or from a proxy with a certificate, only",
                hint="set server.listen to unix:PATH, or `certificate` and server.tls_client_ca, or trust to assertion",
            )

    def close(self) -> None:
        """Nothing is held."""

    def read_headers(self, headers: Sequence[tuple[str, str]], carrier: Carrier) -> Identity | Refused:
        """Return who is named."""
        # SECURITY: from anybody else nobody is, whatever the address: every program of the machine has 127.0.0.1, and
        # others may have certificates of the same authority.
        is_proxy = bool(self._certificate) and self._certificate in carrier.certified
        if not (carrier.is_socket or is_proxy):
            return Refused(Refusal.INVALID, detail="a plain name that did not come from the proxy")
        try:
            name = sole_value(headers, self._header)
        except NotProven as error:
            return Refused(Refusal.INVALID, detail=str(error))
        if (
            not 0 < len(name) <= SUBJECT_LENGTH
            or not name.isascii()
            or not name.isprintable()
            or {" ", ","} & set(name)
        ):
            return Refused(Refusal.INVALID, detail="the header holds no name")
        return Identity(provider=self._id, subject=name, login=name)
