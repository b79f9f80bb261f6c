-- Who follows the changes, where several servers share the database: a receipt given by one counts those of all.
-- A row is written before its process gets a lease. `turn` is raised each time, `bound` is in milliseconds.

CREATE TABLE followers (
  verifier_id  BLOB NOT NULL,
  instance     TEXT NOT NULL,
  server       TEXT NOT NULL,
  name         TEXT NOT NULL,
  epoch        TEXT NOT NULL,
  acknowledged INTEGER NOT NULL,
  bound        INTEGER NOT NULL,
  turn         INTEGER NOT NULL,
  PRIMARY KEY (verifier_id, instance)
) STRICT;
