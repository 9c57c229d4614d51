-- Papers brought to a counter whose registration never arrived: the kiosk that made it is
-- lost. The door code says who and when; the rest is locked to the recovery key until an
-- administrator opens it.
CREATE TABLE paper (
    registration bytea PRIMARY KEY,
    -- The kiosk that sealed it.
    kiosk        bytea NOT NULL REFERENCES kiosk (id),
    site         text NOT NULL REFERENCES site (id),
    code         bigint NOT NULL UNIQUE,
    name         text NOT NULL,
    birth        text NOT NULL,
    -- Civil start of the slot on it; none on a receipt that holds none.
    at           timestamp,
    issued_s     bigint NOT NULL,
    door         bytea NOT NULL,
    rebuild      bytea,
    brought_by   bytea NOT NULL REFERENCES kiosk (id),
    brought_s    bigint NOT NULL,
    -- domain::registration::Registration as JSON, once the rebuild code was opened.
    body         jsonb,
    -- Its registration stands in the waitlist.
    whole        boolean NOT NULL DEFAULT false
);
CREATE INDEX paper_opened ON paper (site) WHERE body IS NOT NULL AND NOT whole;

-- Read back from a paper: the kiosk's own record, should it come after all, says more.
ALTER TABLE registration ADD COLUMN rebuilt boolean NOT NULL DEFAULT false;

-- Wrong follow-up codes of this kiosk in a row, and when the next one is taken.
ALTER TABLE kiosk ADD COLUMN wrong_tries integer NOT NULL DEFAULT 0;
ALTER TABLE kiosk ADD COLUMN next_try_s bigint NOT NULL DEFAULT 0;
