-- Cancellations that came by a person's own telephone or mail: asked, and carried out a day later by
-- the central that runs, unless withdrawn. The date holds meanwhile.
CREATE TABLE asked_cancel (
    id           bytea PRIMARY KEY,
    registration bytea NOT NULL REFERENCES registration (id) ON DELETE CASCADE,
    site         text NOT NULL REFERENCES site (id),
    channel      text NOT NULL CHECK (channel IN ('phone', 'email')),
    asked_s      bigint NOT NULL,
    -- The agent who took the call or the mail.
    asked_by     text NOT NULL,
    -- withdrawn: by the person, an agent, or because they came; over: the hour of the appointment came.
    state        text NOT NULL CHECK (state IN ('open', 'done', 'withdrawn', 'over')),
    ended_s      bigint,
    CHECK ((state = 'open') = (ended_s IS NULL)),
    CHECK (state <> 'done' OR ended_s >= asked_s + 86400)
);
CREATE UNIQUE INDEX asked_cancel_open ON asked_cancel (registration) WHERE state = 'open';
CREATE INDEX asked_cancel_due ON asked_cancel (site, asked_s) WHERE state = 'open';
CREATE INDEX asked_cancel_registration ON asked_cancel (registration);
