-- Ids are 16 bytes, instants are milliseconds since 1970 in UTC, *_key columns are for comparing.

CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('events', 0);

CREATE TABLE users (
  id              BLOB PRIMARY KEY,
  email           TEXT NOT NULL,
  email_key       TEXT NOT NULL,
  name            TEXT,
  name_key        TEXT NOT NULL,
  is_admin        INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  disabled_at     INTEGER,
  deleted_at      INTEGER,
  last_sign_in_at INTEGER
) STRICT, WITHOUT ROWID;
-- A deleted person's address is free again; their row stays while tokens point to it.
CREATE UNIQUE INDEX users_email ON users (email_key) WHERE deleted_at IS NULL;
CREATE INDEX users_name ON users (name_key) WHERE deleted_at IS NULL;
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE passwords (
  user_id    BLOB PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  hash       TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE password_links (
  user_id     BLOB PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  handle_hash BLOB NOT NULL UNIQUE,
  expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id              BLOB PRIMARY KEY,
  owner_id        BLOB NOT NULL REFERENCES users (id),
  mac             BLOB NOT NULL,
  pepper          INTEGER NOT NULL,
  description     TEXT,
  description_key TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,
  parent_id       BLOB,
  revoked_at      INTEGER,
  last_used_at    INTEGER,
  key_hash        BLOB,
  body_hash       BLOB,
  salt            BLOB,
  deleted         INTEGER NOT NULL GENERATED ALWAYS AS (revoked_at IS NOT NULL) VIRTUAL
) STRICT, WITHOUT ROWID;
-- Lists walk this one in the order of ids, whatever they filter by, without touching the rows.
CREATE INDEX tokens_walk ON tokens (owner_id, deleted, id, expires_at, description_key);
-- Filters that few tokens pass start from one of these.
CREATE INDEX tokens_description ON tokens (owner_id, deleted, description_key);
CREATE INDEX tokens_expiry ON tokens (owner_id, deleted, expires_at);
CREATE INDEX tokens_tail ON tokens (owner_id, deleted, substr(id, 11));
CREATE UNIQUE INDEX tokens_key ON tokens (owner_id, key_hash) WHERE key_hash IS NOT NULL;
-- What pruning looks for.
CREATE INDEX tokens_expired ON tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_revoked ON tokens (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX tokens_salted ON tokens (created_at) WHERE salt IS NOT NULL;

CREATE TABLE sessions (
  id           BLOB PRIMARY KEY,
  handle_hash  BLOB NOT NULL UNIQUE,
  user_id      BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  signed_in_at INTEGER NOT NULL,
  proven_at    INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  address      TEXT,
  user_agent   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id, signed_in_at);

CREATE TABLE failures (
  key BLOB NOT NULL,
  at  INTEGER NOT NULL
) STRICT;
CREATE INDEX failures_key ON failures (key, at);
CREATE INDEX failures_at ON failures (at);

CREATE TABLE events (
  sequence      INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  action        TEXT NOT NULL,
  actor_id      BLOB,
  actor_name    TEXT,
  credential    TEXT NOT NULL,
  credential_id BLOB,
  subject_id    BLOB,
  owner_id      BLOB,
  owner_name    TEXT,
  details       TEXT NOT NULL,
  address       TEXT,
  request_id    TEXT
) STRICT;
CREATE INDEX events_actor ON events (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX events_subject ON events (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX events_owner ON events (owner_id) WHERE owner_id IS NOT NULL;

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
