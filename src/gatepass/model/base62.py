"""Base62 with the digits 0-9A-Za-z, big-endian, padded on the left with `0`."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(DIGITS)}


def encode_base62(number: int, *, width: int) -> str:
    """Write `number` (not negative, below 62**width) in exactly `width` digits."""
    digits = []
    for _ in range(width):
        number, value = divmod(number, 62)
        digits.append(DIGITS[value])
    if number:
        raise OverflowError("the number does not fit into the width")
    return "".join(reversed(digits))


def decode_base62(text: str) -> int:
    """Read `text`, all of whose characters must be base62 digits (else KeyError)."""
    number = 0
    for digit in text:
        number = number * 62 + _VALUES[digit]
    return number
