-- How often each token was accepted and refused, by the hour. `hour` counts whole hours since 1970,
-- `outcome` is `accepted` or the reason of refusal.

CREATE TABLE token_uses (
  token_id BLOB NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  hour     INTEGER NOT NULL,
  outcome  TEXT NOT NULL,
  count    INTEGER NOT NULL,
  PRIMARY KEY (token_id, hour, outcome)
) STRICT, WITHOUT ROWID;
-- What pruning looks for.
CREATE INDEX token_uses_hour ON token_uses (hour);
