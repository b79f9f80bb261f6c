-- People who prove who they are elsewhere. `provider` and `subject` are their key, never a name; local people have no
-- subject. `may_generate` is null where the settings decide; `lost` says why the provider lost them, if that disabled them.
ALTER TABLE users ADD COLUMN provider TEXT NOT NULL DEFAULT 'local';
ALTER TABLE users ADD COLUMN subject TEXT;
ALTER TABLE users ADD COLUMN may_generate INTEGER;
ALTER TABLE users ADD COLUMN lost TEXT;
ALTER TABLE users ADD COLUMN checked_at INTEGER;
CREATE UNIQUE INDEX users_subject ON users (provider, subject) WHERE subject IS NOT NULL AND deleted_at IS NULL;
-- What the reading of a directory walks.
CREATE INDEX users_provider ON users (provider, id) WHERE subject IS NOT NULL AND deleted_at IS NULL;

ALTER TABLE sessions ADD COLUMN provider TEXT NOT NULL DEFAULT 'local';
ALTER TABLE sessions ADD COLUMN reference TEXT;
-- What a provider's sign-out looks for.
CREATE INDEX sessions_reference ON sessions (provider, reference) WHERE reference IS NOT NULL;

-- What was taken once and must not be taken again: ids of assertions, until they end.
CREATE TABLE spent (
  key   BLOB PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_until ON spent (until);
