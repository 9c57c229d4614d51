-- Registrations of the last hour: how many, and whose.
CREATE TABLE kept_lately (
    at_s     INTEGER NOT NULL,
    mediator TEXT NOT NULL
) STRICT;
CREATE INDEX kept_lately_at ON kept_lately (at_s);
