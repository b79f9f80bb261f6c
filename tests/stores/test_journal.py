"""The file of the revocation journal: what was written is read, what is torn or damaged is not taken for it."""

import os
import random
from datetime import timedelta
from pathlib import Path

import pytest

from gatepass.errors import Conflict
from gatepass.model.journal import Fate, JournalMark, JournalRecord
from gatepass.model.secret import generate_id
from gatepass.stores.journal import Journal, JournalUnreachable, JournalUnusable
from gatepass.testing.fakes import START

IDS = [generate_id(START) for _ in range(5)]
RECORDS = [
    JournalRecord(
        number,
        0,
        number * 10,
        START + timedelta(seconds=number),
        ((Fate.TOKEN_DELETED, token), (Fate.TOKENS_OFF, None)),
    )
    for number, token in enumerate(IDS, 1)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatepass.journal"


def fill(path: Path) -> tuple[Journal, list[JournalMark]]:
    """Return a journal with RECORDS, and the marks before and after each."""
    journal = Journal(path)
    marks = [journal.create(generate_id(START), START)]
    for record in RECORDS:
        marks.append(journal.append(marks[-1], record))
    return journal, marks


def test_what_was_written_is_read_from_any_mark(path: Path) -> None:
    _, marks = fill(path)
    for number, mark in enumerate(marks):
        assert Journal(path).read_after(mark) == (RECORDS[number:], marks[-1])


def test_a_journal_is_private_and_never_made_over_another(path: Path) -> None:
    fill(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        Journal(path).create(generate_id(START), START)


def test_a_journal_that_others_can_reach_is_refused(path: Path) -> None:
    journal, marks = fill(path)
    path.chmod(0o644)
    with pytest.raises(JournalUnreachable, match="others can reach it"):
        journal.read_after(marks[0])
    with pytest.raises(JournalUnreachable, match="others can reach it"):
        journal.append(marks[-1], RECORDS[0])


def test_a_journal_that_cannot_be_made_leaves_nothing_behind(path: Path) -> None:
    path.parent.chmod(0o777)
    with pytest.raises(JournalUnreachable, match="can be written by others"):
        Journal(path).create(generate_id(START), START)
    assert list(path.parent.iterdir()) == []


def test_a_missing_journal_is_not_made_by_using_it(path: Path) -> None:
    journal, marks = fill(path)
    path.unlink()
    with pytest.raises(JournalUnreachable, match="is missing"):
        journal.read_after(marks[-1])
    with pytest.raises(JournalUnreachable, match="is missing"):
        journal.append(marks[-1], RECORDS[0])
    assert not path.exists()


def test_another_journal_is_told_from_the_right_one(path: Path) -> None:
    journal, marks = fill(path)
    path.rename(path.with_name("mine"))
    Journal(path).create(generate_id(START), START)
    with pytest.raises(JournalUnusable, match="is not the revocation journal of this database"):
        journal.read_after(marks[0])
    path.write_bytes(b"something else\n")
    with pytest.raises(JournalUnusable, match="is not the revocation journal"):
        Journal(path).read_after(marks[0])


def test_a_journal_that_ends_too_early_is_refused(path: Path) -> None:
    journal, marks = fill(path)
    os.truncate(path, marks[3].size)
    with pytest.raises(JournalUnusable, match="ends before what this database has followed"):
        journal.read_after(marks[4])
    with pytest.raises(JournalUnusable, match="ends before"):
        journal.append(marks[4], RECORDS[-1])


def test_a_journal_that_went_another_way_is_refused(path: Path) -> None:
    journal, marks = fill(path)
    os.truncate(path, marks[2].size)
    journal.append(marks[2], JournalRecord(3, 0, 30, START, ((Fate.TOKEN_DELETED, IDS[0]), (Fate.TOKENS_OFF, None))))
    journal.append(journal.read_after(marks[2])[1], RECORDS[3])
    with pytest.raises(JournalUnusable, match="tells another story"):
        journal.read_after(marks[4])


@pytest.mark.parametrize("missing", range(1, 40, 3))
def test_a_torn_last_record_counts_for_nothing_and_the_next_one_takes_its_place(path: Path, missing: int) -> None:
    journal, marks = fill(path)
    os.truncate(path, marks[-1].size - missing)
    assert journal.read_after(marks[0]) == (RECORDS[:-1], marks[-2])
    assert journal.append(marks[-2], RECORDS[-1]) == marks[-1]
    assert journal.read_after(marks[0]) == (RECORDS, marks[-1])


def test_a_last_record_of_which_only_the_length_arrived_counts_for_nothing(path: Path) -> None:
    journal, marks = fill(path)
    os.truncate(path, marks[-2].size)
    os.truncate(path, marks[-1].size + 4096)  # filled with zeros
    assert journal.read_after(marks[0]) == (RECORDS[:-1], marks[-2])
    assert journal.append(marks[-2], RECORDS[-1]) == marks[-1]
    assert path.stat().st_size == marks[-1].size


def test_a_last_record_of_which_only_the_end_arrived_counts_for_nothing(path: Path) -> None:
    journal, marks = fill(path)
    content = bytearray(path.read_bytes())
    content[marks[-2].size : marks[-2].size + 20] = bytes(20)
    path.write_bytes(bytes(content))
    assert Journal(path).read_after(marks[0]) == (RECORDS[:-1], marks[-2])
    assert journal.append(marks[-2], RECORDS[-1]) == marks[-1]


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_before_the_last_record_is_an_error_that_names_it(path: Path, seed: int) -> None:
    _, marks = fill(path)
    chance = random.Random(seed)
    at = chance.randrange(marks[0].size, marks[-2].size)
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))
    number = next(place for place, mark in enumerate(marks) if mark.size > at)
    expected = f"record {number} of the revocation journal .* is damaged"
    if at == marks[number].size - 1:  # the end of a line: it then runs into the next
        expected = f"record ({number}|{number + 1}) of"
    with pytest.raises(JournalUnusable, match=expected):
        Journal(path).read_after(marks[0])
    assert Journal(path).problems() != []
    assert Journal(path).salvage()[0] == RECORDS[: number - 1]


def test_a_whole_journal_has_no_problems(path: Path) -> None:
    journal, _ = fill(path)
    assert journal.problems() == []
    assert journal.salvage()[0] == RECORDS
