"""Links that leave the server. They come from configuration, never from what a client sent."""

from gatepass.model.secret import Secret
from gatepass.server.context import Context


def set_password_url(context: Context, link: Secret) -> str:
    """Return the address behind which a person sets their first password."""
    return f"{context.public_url}/set-password?link={link.reveal()}"
