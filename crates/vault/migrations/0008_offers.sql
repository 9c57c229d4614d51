-- An earlier date kept for somebody until they answer.
CREATE TABLE offer (
    registration BLOB PRIMARY KEY NOT NULL,
    offer        BLOB NOT NULL,
    -- Civil start of the appointment offered, and the last civil day to answer.
    at           TEXT NOT NULL,
    until        TEXT NOT NULL
) STRICT;
-- Appointments given up. The record of it is in the journal.
CREATE TABLE cancelled (
    registration BLOB PRIMARY KEY NOT NULL,
    at_s         INTEGER NOT NULL,
    -- The person has asked for it back, and central has not given the date yet.
    coming_back  INTEGER NOT NULL DEFAULT 0 CHECK (coming_back IN (0, 1))
) STRICT;
