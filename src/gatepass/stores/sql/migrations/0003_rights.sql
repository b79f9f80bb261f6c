-- What a token is restricted to, words with a space between; null: not restricted.
-- Scopes may be the empty text: none at all.
ALTER TABLE tokens ADD COLUMN scopes TEXT;
ALTER TABLE tokens ADD COLUMN networks TEXT;
ALTER TABLE tokens ADD COLUMN audience TEXT;
