-- The day from which a leased slot goes back if nobody has been given it; null: it is kept until
-- its day is over. Backstops lent before this was told went back thirteen days before theirs.
ALTER TABLE lease_slot ADD COLUMN back TEXT;
UPDATE lease_slot SET back = date(substr(at, 1, 10), '-13 days') WHERE stratum = 'backstop';
