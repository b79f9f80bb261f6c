"""The token format, held against the published vectors and against everything near a live token."""

import json
import os
import re
from hashlib import sha256 as sha256_of
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepass.model.base62 import DIGITS, decode_base62, encode_base62
from gatepass.model.presented import parse_token
from gatepass.model.secret import Secret, derive_secret, generate_id, generate_secret, sha256
from gatepass.model.token import TokenKind, token_mac, write_token
from gatepass.testing.fakes import START
from vectors import make_token_format

VECTORS = json.loads((Path(make_token_format.__file__).parent / "token-format.json").read_text("utf-8"))
SCANNER = re.compile(r"\bgp(at|sa)_[0-9A-Za-z]{22}_[0-9A-Za-z]{38}\b")
MANY = 100_000 if os.environ.get("GATEPASS_SOAK") else 5_000


def new_value() -> str:
    return write_token(TokenKind.PERSONAL, generate_id(START), generate_secret()).reveal()


def test_the_published_vectors_are_what_their_maker_writes() -> None:
    assert json.loads(json.dumps(make_token_format.VECTORS)) == VECTORS


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["value"][:20])
def test_a_valid_vector_is_read(vector: dict[str, str]) -> None:
    presented = parse_token(vector["value"])
    assert presented is not None
    assert presented.id == UUID(vector["tokenId"])
    assert presented.digest.hex() == vector["digest"]
    assert token_mac(bytes.fromhex(VECTORS["pepper"]), presented.digest).hex() == vector["mac"]


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["value"][:20])
def test_a_valid_vector_is_written(vector: dict[str, str]) -> None:
    secret = Secret(vector["value"][28:60])
    assert write_token(TokenKind(vector["kind"]), UUID(vector["tokenId"]), secret).reveal() == vector["value"]


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["reason"])
def test_an_invalid_vector_is_refused(vector: dict[str, str]) -> None:
    assert parse_token(vector["value"]) is None


@pytest.mark.parametrize("vector", VECTORS["retries"], ids=lambda vector: vector["idempotencyKey"])
def test_a_retried_creation_derives_the_published_secret(vector: dict[str, str]) -> None:
    secret = derive_secret(
        bytes.fromhex(VECTORS["serverKey"]),
        bytes.fromhex(vector["salt"]),
        UUID(vector["ownerId"]).bytes,
        vector["idempotencyKey"].encode(),
        sha256_of(vector["body"].encode()).digest(),
    )
    assert secret.reveal() == vector["secret"]


def test_parts_that_only_read_alike_together_derive_different_secrets() -> None:
    assert derive_secret(b"k", b"ab", b"c").reveal() != derive_secret(b"k", b"a", b"bc").reveal()


@pytest.mark.soak
def test_every_generated_value_is_read_back_and_none_twice() -> None:
    values = {new_value() for _ in range(MANY)}
    assert len(values) == MANY
    for value in values:
        presented = parse_token(value)
        assert presented is not None
        assert presented.digest == sha256(value)
        assert SCANNER.fullmatch(value)


def test_every_prefix_and_suffix_of_a_value_is_refused() -> None:
    value = new_value()
    for cut in range(len(value)):
        assert parse_token(value[:cut]) is None
        if cut:
            assert parse_token(value[cut:]) is None


def test_every_change_of_one_character_is_refused() -> None:
    value = new_value()
    for place in range(len(value)):
        for character in DIGITS + "_-+/ \n\x00é":
            if value[place] != character:
                assert parse_token(value[:place] + character + value[place + 1 :]) is None


def test_padding_folding_and_encoding_are_refused() -> None:
    value = new_value()
    for near in (
        f" {value}",
        f"{value} ",
        f"\t{value}",
        f"{value}\n",
        f"{value}\x00",
        value.upper(),
        value.lower(),
        value.swapcase(),
        value.replace("_", "%5f"),
        f"{value}=",
        f'"{value}"',
        value * 2,
        value.encode("utf-16").decode("latin-1"),
    ):
        assert parse_token(near) is None


@given(st.text(max_size=200) | st.from_regex(SCANNER, fullmatch=True))
@settings(max_examples=500)
def test_no_text_makes_the_parser_stumble(text: str) -> None:
    presented = parse_token(text)
    assert presented is None or write_token(TokenKind(text[:4]), presented.id, Secret(text[28:60])).reveal() == text


@given(st.integers(min_value=0, max_value=62**22 - 1))
def test_base62_reads_back_what_it_writes(number: int) -> None:
    text = encode_base62(number, width=22)
    assert len(text) == 22
    assert decode_base62(text) == number


def test_a_number_too_large_for_its_width_is_not_cut() -> None:
    with pytest.raises(OverflowError):
        encode_base62(62**3, width=3)
