"""Writes `token-format.json`. Its numbers are fixed, so the file is too; run it after adding a case.

It spells the format out by itself, with nothing of Gatepass, so that the two check each other.
"""

import hashlib
import hmac
import json
import zlib
from pathlib import Path
from uuid import UUID

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PEPPER = bytes(range(32))
SERVER_KEY = bytes(range(32, 64))


def base62(number: int, width: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text.rjust(width, "0")


def with_checksum(head: str) -> str:
    return head + base62(zlib.crc32(head.encode()), 6)


def value(kind: str, token_id: str, secret: int) -> str:
    return with_checksum(f"{kind}_{base62(UUID(token_id).int, 22)}_{base62(secret, 32)}")


def valid(kind: str, token_id: str, secret: int) -> dict[str, str]:
    text = value(kind, token_id, secret)
    digest = hashlib.sha256(text.encode()).digest()
    mac = hmac.new(PEPPER, digest, "sha256").hexdigest()
    return {"value": text, "kind": kind, "tokenId": token_id, "digest": digest.hex(), "mac": mac}


def derived(salt: bytes, owner: str, key: str, body: str) -> dict[str, str]:
    parts = [salt, UUID(owner).bytes, key.encode(), hashlib.sha256(body.encode()).digest()]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    number = int.from_bytes(hmac.new(SERVER_KEY, message, "sha512").digest(), "big") % 62**32
    return {"salt": salt.hex(), "ownerId": owner, "idempotencyKey": key, "body": body, "secret": base62(number, 32)}


ID = "01a20d1f-00c9-7000-b8dc-c8f9fd073580"
GOOD = value("gpat", ID, 62**31 + 12345)
HEAD = GOOD[:-6]
TOO_LARGE = with_checksum(f"gpat_{base62(2**128, 22)}_{'0' * 32}")

VECTORS = {
    "description": "Gatepass token format: see docs/reference/token-format.md",
    "pepper": PEPPER.hex(),
    "serverKey": SERVER_KEY.hex(),
    "valid": [
        valid("gpat", ID, 62**31 + 12345),
        valid("gpsa", ID, 62**31 + 12345),
        valid("gpat", "00000000-0000-0000-0000-000000000000", 0),
        valid("gpat", "ffffffff-ffff-ffff-ffff-ffffffffffff", 62**32 - 1),
        valid("gpat", "00000000-0000-7000-8000-000000000001", 61),
    ],
    "invalid": [
        {"value": "", "reason": "empty"},
        {"value": GOOD[:-1], "reason": "one character short"},
        {"value": GOOD + "0", "reason": "one character long"},
        {"value": " " + GOOD, "reason": "leading space"},
        {"value": GOOD + "\n", "reason": "newline behind it"},
        {"value": HEAD + GOOD[-6:].swapcase(), "reason": "case of the checksum flipped"},
        {"value": "GPAT" + GOOD[4:], "reason": "case of the kind flipped"},
        {"value": with_checksum("gpxx" + HEAD[4:]), "reason": "unknown kind"},
        {"value": GOOD[:30] + ("0" if GOOD[30] != "0" else "1") + GOOD[31:], "reason": "one character changed"},
        {"value": TOO_LARGE, "reason": "token id of 2^128, with a right checksum"},
        {"value": with_checksum(HEAD[:40] + "-" + HEAD[41:]), "reason": "not base62, with a right checksum"},
        {"value": GOOD.replace("_", "%5F"), "reason": "percent-encoded"},
        {"value": GOOD.replace("_", "-"), "reason": "other separators"},
        {"value": GOOD[:30] + "\u0661" + GOOD[31:], "reason": "a digit that is not ASCII"},
    ],
    "retries": [
        derived(b"\x00" * 32, ID, "a", ""),
        derived(b"\xff" * 32, ID, "key-1", '{"lifetimeSeconds":60}'),
        derived(b"\x01" * 32, "ffffffff-ffff-ffff-ffff-ffffffffffff", "ab", "c"),
        derived(b"\x01" * 32, "ffffffff-ffff-ffff-ffff-ffffffffffff", "a", "bc"),
    ],
}

if __name__ == "__main__":
    Path(__file__).with_name("token-format.json").write_text(json.dumps(VECTORS, indent=2) + "\n", "utf-8")
