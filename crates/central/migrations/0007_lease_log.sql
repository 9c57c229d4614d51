-- How far this database has followed the lease log, which lies on other storage. A
-- restored database is behind it, and is told by replay what it must not give again.
CREATE TABLE lease_log (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    n      bigint NOT NULL,
    hash   bytea NOT NULL,
    -- The log could not be followed to its end: only extra slots are given until an
    -- administrator says that every kiosk has been heard.
    broken boolean NOT NULL DEFAULT false
);
INSERT INTO lease_log (n, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- Given or lent by a history this database does not know: not free.
ALTER TABLE slot ADD COLUMN withheld boolean NOT NULL DEFAULT false;
DROP INDEX slot_free;
CREATE INDEX slot_free ON slot (site, at, id)
    WHERE lease IS NULL AND registration IS NULL AND extra = 0 AND NOT withheld;

-- Drawn at random, so that two histories never make one extra slot.
ALTER TABLE slot DROP CONSTRAINT slot_extra_check;
ALTER TABLE slot ALTER COLUMN extra TYPE integer;

-- Drawn at random for each change: a cursor that names another mark was given by a
-- history this database does not know.
ALTER TABLE change ADD COLUMN mark bytea NOT NULL DEFAULT ''::bytea;
ALTER TABLE change ALTER COLUMN mark DROP DEFAULT;
