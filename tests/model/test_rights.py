"""Rights: what one token may do, and that a child never does what its parent may not."""

import random
from ipaddress import IPv4Network, IPv6Network, ip_address
from uuid import UUID

import pytest

from gatepass.errors import InvalidInput, NotAllowed
from gatepass.model.network import Network, contains, parse_address
from gatepass.model.rights import FULL_ACCESS, Rights, check_rights, child_rights
from gatepass.model.scope import covers, covers_all
from gatepass.model.verdict import Accepted, Reason
from gatepass.verifier.requirements import NOTHING, Requirements, find_refusal

PAIRS = 10_000
WORDS = ("*", "a", "b", "a.b")
SCOPES = [f"{noun}:{verb}" for noun in WORDS for verb in WORDS]
SERVICES = ("gatepass", "orders", "billing")
ADDRESSES = [
    ip_address(text) for text in ("10.0.0.1", "10.0.0.9", "10.1.0.1", "192.0.2.1", "2001:db8::1", "2001:db8:1::1")
]


def accepted(rights: Rights) -> Accepted:
    return Accepted(UUID(int=1), UUID(int=2), "owner@example.com", None, rights)


def random_network(dice: random.Random) -> Network:
    address = dice.choice(ADDRESSES)
    if address.version == 4:
        return IPv4Network((int(address), dice.choice([0, 8, 16, 24, 29, 32])), strict=False)
    return IPv6Network((int(address), dice.choice([0, 32, 48, 64, 128])), strict=False)


def random_rights(dice: random.Random) -> Rights:
    def some(values: list) -> tuple | None:
        return None if dice.random() < 0.3 else tuple(dict.fromkeys(values))

    return Rights(
        some(dice.choices(SCOPES, k=dice.randint(0, 4))),
        some([random_network(dice) for _ in range(dice.randint(1, 3))]),
        some(dice.choices(SERVICES, k=dice.randint(1, 2))),
    )


def random_requirements(dice: random.Random) -> Requirements:
    return Requirements(
        tuple(dice.choices(SCOPES, k=dice.randint(0, 2))),
        dice.choice([None, "elsewhere", *SERVICES]),
        dice.choice([None, *ADDRESSES]),
    )


def test_a_child_accepts_no_request_that_its_parent_refuses() -> None:
    dice = random.Random(20_261)
    children = narrower = 0
    for _ in range(PAIRS):
        parent, asked = random_rights(dice), random_rights(dice)
        try:
            child = child_rights(parent, asked)
        except NotAllowed:
            continue
        children += 1
        narrower += child != parent
        for _ in range(20):
            required = random_requirements(dice)
            if find_refusal(accepted(child), required) is None:
                assert find_refusal(accepted(parent), required) is None, (parent, asked, required)
        # What was asked for holds as well: nothing is given beyond it.
        for name in ("scopes", "networks", "audience"):
            assert getattr(asked, name) in {None, getattr(child, name)}
    assert children > PAIRS / 20
    assert narrower > PAIRS / 50


def test_what_a_child_does_not_name_is_its_parents() -> None:
    parent = check_rights(["jobs:*"], ["10.0.0.0/8"], ["orders", "gatepass"])
    assert child_rights(parent, FULL_ACCESS) == parent
    assert child_rights(parent, Rights(scopes=("jobs:run",))) == Rights(("jobs:run",), parent.networks, parent.audience)
    assert child_rights(parent, Rights(scopes=())).scopes == ()


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (check_rights(["*:run"], None, None), "scopes"),
        (check_rights(["jobs:run", "people:read"], None, None), "scopes"),
        (check_rights(None, ["0.0.0.0/0"], None), "allowedNetworks"),
        (check_rights(None, ["10.0.0.0/8", "2001:db8::/32"], None), "allowedNetworks"),
        (check_rights(None, None, ["billing"]), "audience"),
    ],
)
def test_what_goes_beyond_the_parent_is_refused_and_named(asked: Rights, named: str) -> None:
    with pytest.raises(NotAllowed, match=f"^{named}: "):
        child_rights(check_rights(["jobs:*"], ["10.0.0.0/8"], ["orders"]), asked)


@pytest.mark.parametrize(
    ("granted", "wanted", "enough"),
    [
        ("a:b", "a:b", True),
        ("a:*", "a:b", True),
        ("*:b", "a:b", True),
        ("*:*", "a:b", True),
        ("a:b", "a:*", False),
        ("a:b", "*:b", False),
        ("a:*", "*:*", False),
        ("*:*", "*:*", True),
        ("a:b", "a.c:b", False),
        ("a:b", "a:bc", False),
    ],
)
def test_a_star_stands_for_a_whole_segment(granted: str, wanted: str, enough: bool) -> None:
    assert covers(granted, wanted) is enough


def test_no_scopes_cover_nothing_and_full_access_everything() -> None:
    assert covers_all((), []) is True
    assert covers_all((), ["a:b"]) is False
    assert covers_all(None, ["*:*"]) is True


@pytest.mark.parametrize(
    ("rights", "required", "reason"),
    [
        (FULL_ACCESS, Requirements(("a:b",), "orders", None), None),
        (check_rights(None, ["10.0.0.0/8"], None), Requirements(client=parse_address("10.9.9.9")), None),
        (check_rights(None, ["10.0.0.0/8"], None), Requirements(client=parse_address("::ffff:10.9.9.9")), None),
        (check_rights(None, ["10.0.0.0/8"], None), Requirements(client=parse_address("11.0.0.1")), Reason.NETWORK),
        (check_rights(None, ["10.0.0.0/8"], None), Requirements(client=parse_address("::1")), Reason.NETWORK),
        (check_rights(None, ["::/0"], None), Requirements(client=parse_address("10.0.0.1")), Reason.NETWORK),
        (check_rights(None, ["0.0.0.0/0", "::/0"], None), NOTHING, Reason.NETWORK),
        (check_rights(None, None, ["orders"]), Requirements(audience="orders"), None),
        (check_rights(None, None, ["orders"]), Requirements(audience="order"), Reason.AUDIENCE),
        (check_rights(None, None, ["orders"]), NOTHING, Reason.AUDIENCE),
        (check_rights([], None, None), NOTHING, None),
        (check_rights([], None, None), Requirements(("a:b",)), Reason.SCOPE),
        (check_rights(["a:b"], None, None), Requirements(("a:b", "a:c")), Reason.SCOPE),
        (check_rights(["a:*"], None, None), Requirements(("a:b", "a:c")), None),
    ],
)
def test_a_request_is_held_against_what_the_token_is_restricted_to(
    rights: Rights, required: Requirements, reason: Reason | None
) -> None:
    assert find_refusal(accepted(rights), required) is reason


@pytest.mark.parametrize("text", ["", None, "unknown", "10.0.0", "10.0.0.1:80", "fe80::1%eth0", " 10.0.0.1"])
def test_what_is_no_address_is_none(text: str | None) -> None:
    assert parse_address(text) is None


def test_what_is_named_twice_is_kept_once_in_order() -> None:
    rights = check_rights(["b:x", "a:x", "b:x"], ["10.0.0.1", "10.0.0.1/32"], ["s", "s"])
    assert rights.lists() == {"scopes": ["b:x", "a:x"], "allowed_networks": ["10.0.0.1/32"], "audience": ["s"]}
    assert rights.networks is not None
    assert contains(rights.networks, ip_address("10.0.0.1"))


def test_a_long_bad_value_is_shown_in_part() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_rights(["x" * 5000], None, None)
    assert len(str(caught.value)) < 300
