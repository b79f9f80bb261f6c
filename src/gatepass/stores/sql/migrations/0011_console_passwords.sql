-- Whether a password was set on the server's own console: such a one counts for a while where local sign-in is off.
ALTER TABLE passwords ADD COLUMN on_console INTEGER NOT NULL DEFAULT 0;
