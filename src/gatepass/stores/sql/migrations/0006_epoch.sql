-- Which history of changes this is. A copy of the database is another history as soon as it lives on by itself:
-- then the restores that the next migration's mark counts are more.
INSERT INTO counters (name, value) VALUES ('identity', random());
