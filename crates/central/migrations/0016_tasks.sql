-- What the desk has to do, each with an owner and a clock: a registration that cannot be
-- served in time, a request for an earlier date.
CREATE TABLE task (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site         text NOT NULL REFERENCES site (id),
    kind         text NOT NULL CHECK (kind IN ('escalation', 'advance_request')),
    -- Why: after_limit or no_capacity; empty for a request.
    reason       text NOT NULL,
    registration bytea NOT NULL REFERENCES registration (id),
    -- When the person asked, or central escalated.
    made_s       bigint NOT NULL,
    -- Civil day at the site by which it is to be answered.
    due          date NOT NULL,
    answer       text,
    answered_by  text,
    answered_s   bigint,
    CHECK ((answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answered_s IS NULL))
);
-- One of a kind is open at a time.
CREATE UNIQUE INDEX task_open ON task (registration, kind, reason) WHERE answer IS NULL;
CREATE INDEX task_due ON task (site, due, id) WHERE answer IS NULL;
INSERT INTO task (site, kind, reason, registration, made_s, due)
    SELECT site, 'escalation', reason, registration, made_s, (to_timestamp(made_s) + interval '2 days')::date
    FROM escalation;
