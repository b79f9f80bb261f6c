-- Services that may ask about tokens. A removed one's name is free again; its row stays for the audit log.

CREATE TABLE verifiers (
  id         BLOB PRIMARY KEY,
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  mac        BLOB NOT NULL,
  pepper     INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  removed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX verifiers_name ON verifiers (name_key) WHERE removed_at IS NULL;
