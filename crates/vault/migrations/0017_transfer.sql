-- What central told last of the paper a registration of this kiosk follows (JSON,
-- `wire::messages::Transferred`), and when the person said here that they keep the new appointment.
CREATE TABLE transfer (
    registration BLOB PRIMARY KEY NOT NULL,
    told         TEXT NOT NULL,
    kept_s       INTEGER,
    -- When the page last changed by it after paper was out; null: it has not.
    page_s       INTEGER
) STRICT;
-- The site at which the person has an appointment in the place of this one; null: none is known.
ALTER TABLE cancelled ADD COLUMN elsewhere TEXT;
