"""Scopes: what a token may be used for, as `noun:verb`; `*` stands for any noun or any verb."""

from collections.abc import Iterable, Sequence

from gatepass.errors import InvalidInput

MOST_SCOPES = 64
"""How many scopes one token, or one demand, may name."""

_SEGMENT_LENGTH = 64
_ENDS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_MIDDLE = _ENDS | set("._-")


def is_scope(text: str) -> bool:
    """Tell whether `text` is a scope in the one form that is accepted: lower case, one colon."""
    noun, colon, verb = text.partition(":")
    return bool(colon) and _is_segment(noun) and _is_segment(verb)


def _is_segment(text: str) -> bool:
    """Tell whether it is `*`, or 1 to 64 of a-z, 0-9, `.`, `_`, `-` with a letter or digit at each end."""
    if text == "*":
        return True
    return 0 < len(text) <= _SEGMENT_LENGTH and text[0] in _ENDS and text[-1] in _ENDS and _MIDDLE.issuperset(text)


def check_scopes(scopes: Sequence[str], *, field: str = "scopes") -> tuple[str, ...]:
    """Return scopes that a token may carry, each once, in the given order; raise InvalidInput naming `field`."""
    if len(scopes) > MOST_SCOPES:
        raise InvalidInput(field, f"names {len(scopes)} scopes, at most {MOST_SCOPES} are allowed")
    for scope in scopes:
        if not is_scope(scope):
            raise InvalidInput(
                field, f"{scope[:100]!r} is not a scope: noun:verb in a-z, 0-9, '.', '_' and '-', or '*' for either"
            )
    return tuple(dict.fromkeys(scopes))


def covers(granted: str, wanted: str) -> bool:
    """Tell whether holding `granted` is enough for `wanted`, segment by segment.

    A wanted `*` is covered by a granted `*` alone.
    """
    have, want = granted.split(":"), wanted.split(":")
    return len(have) == len(want) and all(each in ("*", other) for each, other in zip(have, want, strict=True))


def covers_all(granted: Iterable[str] | None, wanted: Iterable[str]) -> bool:
    """Tell whether the granted scopes (None: full access) cover each of the wanted ones."""
    if granted is None:
        return True
    held = tuple(granted)
    return all(any(covers(each, want) for each in held) for want in wanted)
