-- How far this database has followed the revocation journal, which lies outside it. One row, none before it begins.

CREATE TABLE journal (
  sole       INTEGER PRIMARY KEY CHECK (sole = 1),
  journal_id BLOB NOT NULL,
  number     INTEGER NOT NULL,
  size       INTEGER NOT NULL,
  chain      BLOB NOT NULL,
  restores   INTEGER NOT NULL
) STRICT;
