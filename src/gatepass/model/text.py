"""Short texts that people write: one line, no control characters, bounded."""

import unicodedata

from gatepass.errors import InvalidInput

_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHOWN = 60
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that words and emoji are really spelled with."""


def check_line(field: str, text: str, *, most: int) -> str:
    """Return `text` if it is one line of at most `most` characters, else raise InvalidInput.

    Control and format characters, line and paragraph separators and lone surrogates are refused:
    they can hide or re-order what a page or a log shows.
    """
    if len(text) > most:
        raise InvalidInput(field, f"must have at most {most} characters, has {len(text)}")
    for character in text:
        if unicodedata.category(character) in _REFUSED and character not in _JOINERS:
            raise InvalidInput(field, f"must not contain control or format characters, has U+{ord(character):04X}")
    return text


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written as UTF-8: half of a surrogate pair cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shorten(text: str | None, *, most: int) -> str | None:
    """Make a line of at most `most` characters out of text a stranger sent, for keeping."""
    if text is None:
        return None
    return "".join(c if unicodedata.category(c) not in _REFUSED else " " for c in text[:most])


def shown(text: str) -> str:
    """Return a name that a client made up, short and harmless enough to send back."""
    return ascii(text[:_SHOWN])[1:-1]
