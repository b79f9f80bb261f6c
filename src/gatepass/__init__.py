"""Gatepass: access tokens for any API.

    from gatepass import open_verifier

`open_verifier` judges tokens inside your own service; what it answers with is in `gatepass.verifier`.
"""

__version__ = "0.1.0"
__all__ = ["open_verifier"]


def __getattr__(name: str) -> object:
    """Import `open_verifier` when it is first asked for: what it needs is not all in the standard library."""
    if name == "open_verifier":
        from gatepass.connect import open_verifier  # noqa: PLC0415

        return open_verifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
