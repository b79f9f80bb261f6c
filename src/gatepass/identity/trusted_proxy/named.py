"""A plain name in a header, from a proxy that alone can reach the unix socket on which this listens."""

from collections.abc import Sequence

from gatepass.identity.trusted_proxy.header import sole_value
from gatepass.model.identity import SUBJECT_LENGTH, Identity, NotProven, Refusal, Refused


class NameFromSocket:
    """Believes a header that came over a unix socket."""

    def __init__(self, header: str, provider_id: str) -> None:
        """Read `header`, a name in lower case."""
        self._header = header
        self._id = provider_id

    @property
    def needs_socket(self) -> bool:
        """Say yes: a name is proven by nothing but where it comes from."""
        return True

    def close(self) -> None:
        """Nothing is held."""

    def read_headers(self, headers: Sequence[tuple[str, str]], *, over_socket: bool) -> Identity | Refused:
        """Return who is named."""
        # SECURITY: over TCP nobody is, whatever the address: every program of the machine reaches it.
        if not over_socket:
            return Refused(Refusal.INVALID, detail="a plain name counts on a unix socket only")
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
