-- What verifiers must hear of, numbered in the order of commits: the counter is raised in the same transaction.

INSERT INTO counters (name, value) VALUES ('changes', 0);

CREATE TABLE changes (
  revision   INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  subject_id BLOB
) STRICT;
