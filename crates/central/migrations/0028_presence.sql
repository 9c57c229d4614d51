-- Who came to their appointment, and who did not.
CREATE TABLE arrival (
    -- The registration may come after it: its own kiosk has not sent it yet.
    registration bytea NOT NULL,
    -- The hour of the appointment.
    at           timestamp NOT NULL,
    site         text NOT NULL REFERENCES site (id),
    -- Where the paper was shown; null when an agent said that the person came.
    kiosk        bytea REFERENCES kiosk (id),
    came_s       bigint NOT NULL,
    PRIMARY KEY (registration, at)
);
CREATE INDEX arrival_at ON arrival (at);

-- An agent said that nobody came at this hour. The central that runs gives the new date.
CREATE TABLE missed (
    registration bytea NOT NULL REFERENCES registration (id),
    at           timestamp NOT NULL,
    site         text NOT NULL REFERENCES site (id),
    -- The slot that was theirs.
    slot         bigint NOT NULL,
    said_s       bigint NOT NULL,
    said_by      text NOT NULL,
    done_s       bigint,
    -- It was the second time: no date followed, and the place waits as after a cancellation.
    ended        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (registration, at)
);
CREATE INDEX missed_due ON missed (site) WHERE done_s IS NULL;
