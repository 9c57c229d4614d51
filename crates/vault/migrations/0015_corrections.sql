-- What a person of this kiosk was ever known by, once a detail was corrected: 0 is what the
-- registration came with, then each correction in the order made. JSON, `domain::correction::Details`.
CREATE TABLE correction (
    registration BLOB NOT NULL,
    number       INTEGER NOT NULL,
    details      TEXT NOT NULL,
    PRIMARY KEY (registration, number)
) STRICT;
