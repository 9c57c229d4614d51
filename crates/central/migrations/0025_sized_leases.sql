-- Leases are sized by what central has seen of each kiosk, unless an administrator fixed their
-- size for the site.
ALTER TABLE site ALTER COLUMN lease_slots DROP NOT NULL;

-- The day from which the kiosk that holds it gives it back unused; null: it keeps it.
ALTER TABLE slot ADD COLUMN back date;
-- It was lent near the queue front and came back unused: it is for people from then on, and the
-- queue front is not looked for there.
ALTER TABLE slot ADD COLUMN came_back boolean NOT NULL DEFAULT false;

-- When the kiosk last asked for its lease, to the hour; and on which day.
ALTER TABLE kiosk ADD COLUMN asked_s bigint;
ALTER TABLE kiosk ADD COLUMN asked_on date;
-- domain::lease::Seen as JSON, as counted on a day of its site.
ALTER TABLE kiosk ADD COLUMN seen jsonb;
ALTER TABLE kiosk ADD COLUMN seen_on date;

-- When a kiosk was away for long.
CREATE TABLE absence (
    kiosk   bytea NOT NULL REFERENCES kiosk (id),
    began_s bigint NOT NULL,
    ended_s bigint NOT NULL,
    PRIMARY KEY (kiosk, ended_s)
);
