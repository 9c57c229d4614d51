-- A request for an earlier date and the desk's answer. The record of it is in the journal.
CREATE TABLE advance (
    registration BLOB PRIMARY KEY NOT NULL,
    -- When the person last asked.
    asked_s      INTEGER NOT NULL,
    -- The record that says so.
    seq          INTEGER NOT NULL,
    answer       TEXT,
    answered_s   INTEGER,
    CHECK ((answer IS NULL) = (answered_s IS NULL))
) STRICT;
