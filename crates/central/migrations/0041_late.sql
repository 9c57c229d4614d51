-- People whose date does not serve their time limit: looked at again until it does, or nothing can.
CREATE TABLE late (
    registration bytea PRIMARY KEY REFERENCES registration (id),
    site         text NOT NULL REFERENCES site (id),
    -- What they were offered since counts: nobody is asked for ever.
    since_s      bigint NOT NULL,
    -- Looked at again from this second on.
    next_s       bigint NOT NULL
);
CREATE INDEX late_due ON late (site, next_s);
-- Those of before: whose date serves them is struck off when it is looked at.
INSERT INTO late (registration, site, since_s, next_s)
    SELECT registration.id, registration.site, extract(epoch FROM now())::bigint, 0 FROM registration JOIN slot ON slot.registration = registration.id
    WHERE class = 'with_time_limit' AND state = 'kept' AND cancelled_s IS NULL AND slot.at > now() AT TIME ZONE 'UTC';
