"""Where PostgreSQL's SQL differs from SQLite's: one text is written for both and turned into PostgreSQL's here."""

import re
from functools import lru_cache

from gatepass.stores.sql.connection import Value

_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")

# Texts are compared by their bytes, as SQLite does, whatever the locale of the database.
_SCHEMA = (
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
    (re.compile(r"\) STRICT(, WITHOUT ROWID)?;?\Z"), ")"),
    # Both are any number of 64 bits.
    (re.compile(r"\brandom\(\)"), "(CAST((random() - 0.5) * 18e18 AS BIGINT))"),
    (re.compile(r"AS \((.*)\) VIRTUAL"), r"AS (CAST(CAST(\1 AS INT) AS BIGINT)) STORED"),
)

_NO_CHARACTER = "\ufffe"
"""Stands for U+0000, which no text in PostgreSQL can hold. No text that is ever stored holds either of them."""


@lru_cache(maxsize=1000)
def postgres_query(sql: str) -> str:
    """Return a statement with its parameters as psycopg writes them."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


def postgres_schema(statement: str) -> str:
    """Return one statement of a migration in PostgreSQL's words."""
    for pattern, replacement in _SCHEMA:
        statement = pattern.sub(replacement, statement)
    return statement


def postgres_values(values: dict[str, Value]) -> dict[str, Value]:
    """Return values that PostgreSQL can compare: what a stranger types must be found nowhere, and not fail."""
    for name, value in values.items():
        if isinstance(value, str) and "\0" in value:
            values[name] = value.replace("\0", _NO_CHARACTER)
    return values
