-- What people of this kiosk said of their appointment at another, as central told.
CREATE TABLE word (
    word         BLOB PRIMARY KEY NOT NULL,
    registration BLOB NOT NULL,
    says         TEXT NOT NULL,
    -- The civil hour it was said of.
    appointment  TEXT,
    said_s       INTEGER NOT NULL
) STRICT;
CREATE INDEX word_registration ON word (registration);
-- Cancellations by a person's own telephone or mail, as central told.
CREATE TABLE asked_cancel (
    word         BLOB PRIMARY KEY NOT NULL,
    registration BLOB NOT NULL,
    channel      TEXT NOT NULL,
    asked_s      INTEGER NOT NULL,
    -- When it is carried out, unless withdrawn.
    due_s        INTEGER NOT NULL,
    -- Withdrawn or carried out; said again, it stays so.
    over         INTEGER NOT NULL DEFAULT 0 CHECK (over IN (0, 1))
) STRICT;
CREATE INDEX asked_cancel_registration ON asked_cancel (registration);
-- A far date is asked about on these civil days, once: the hour it names. None of these, it is not far.
ALTER TABLE paper ADD COLUMN far_at TEXT;
ALTER TABLE paper ADD COLUMN ask_first TEXT;
ALTER TABLE paper ADD COLUMN ask_last TEXT;
CREATE INDEX paper_asked ON paper (ask_last) WHERE ask_last IS NOT NULL;
