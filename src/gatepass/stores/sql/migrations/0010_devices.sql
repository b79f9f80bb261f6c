-- Browsers in which somebody signed in with a password. Wrong passwords from there are counted apart from everybody else's.
CREATE TABLE devices (
  handle_hash BLOB PRIMARY KEY,
  user_id     BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name_key    BLOB NOT NULL,
  account_key BLOB,
  made_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_user ON devices (user_id, made_at);
CREATE INDEX devices_made ON devices (made_at);
