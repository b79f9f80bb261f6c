-- Which history of changes this is. A copy of the database is another history as soon as it lives on by itself:
-- then `restores`, a counter that need not be there, is raised.
INSERT INTO counters (name, value) VALUES ('identity', random());
