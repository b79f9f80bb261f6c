"""The header fields that the listener looks at, each a bit; all others are nothing to it."""

HOST = 1 << 0
AUTHORIZATION = 1 << 1
FORWARDED_FOR = 1 << 2
REQUEST_ID = 1 << 3
CONTENT_LENGTH = 1 << 4
TRANSFER_ENCODING = 1 << 5
EXPECT = 1 << 6
CONTENT_TYPE = 1 << 7
LAST = 1 << 8
"""No field: the connection ends with this answer."""
CROWDED = 1 << 9
"""No field: the connection is one too many."""
REPEATED = 16
"""A field that came again sets its bit shifted by this."""

BODY = CONTENT_LENGTH | TRANSFER_ENCODING | EXPECT
_NAMES = {
    b"host": HOST,
    b"authorization": AUTHORIZATION,
    b"x-forwarded-for": FORWARDED_FOR,
    b"x-request-id": REQUEST_ID,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"expect": EXPECT,
    b"content-type": CONTENT_TYPE,
}
_MOST_SPELLINGS = 1000


class _Kinds(dict[bytes, int]):
    """The bit of a field by its name as it was spelled: a look-up is quicker than folding each name."""

    def __missing__(self, name: bytes) -> int:
        kind = _NAMES.get(name.lower(), 0)
        if len(self) < _MOST_SPELLINGS and len(name) <= len(b"x-original-forwarded-for"):
            self[name] = kind
        return kind


KINDS = _Kinds()
