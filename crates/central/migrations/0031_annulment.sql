-- An appointment annulled for fraud: one agent proposes it with reasons, the person is told and heard,
-- another agent decides. The central that runs carries the decision out.
CREATE TABLE annulment (
    id           bytea PRIMARY KEY,
    registration bytea NOT NULL REFERENCES registration (id) ON DELETE CASCADE,
    site         text NOT NULL REFERENCES site (id),
    -- annulling and undoing wait for the central that runs; over: the appointment was given up,
    -- honoured, or its day came before anything was carried out.
    state        text NOT NULL CHECK (state IN ('proposed', 'kept', 'annulling', 'annulled', 'undoing', 'undone', 'over')),
    proposed_by  text NOT NULL,
    proposed_s   bigint NOT NULL,
    reasons      text NOT NULL,
    -- The last day for an answer that was named, and the one on the notice the person has.
    answer_by    date NOT NULL,
    until        date,
    -- When a kiosk's own record said that the person has the notice.
    told_s       bigint,
    heard_by     text,
    heard_s      bigint,
    -- What they answered; none where no answer came in time.
    answers      text,
    decided_by   text,
    decided_s    bigint,
    decision     text,
    -- The hour that was annulled.
    at           timestamp,
    done_s       bigint,
    undone_by    text,
    undone_s     bigint,
    undoing      text,
    CHECK ((told_s IS NULL) = (until IS NULL)),
    CHECK ((heard_s IS NULL) = (heard_by IS NULL) AND (answers IS NULL OR heard_s IS NOT NULL)),
    CHECK ((decided_s IS NULL) = (decided_by IS NULL) AND (decided_s IS NULL) = (decision IS NULL)),
    CHECK (decided_by IS NULL OR lower(decided_by) <> lower(proposed_by)),
    CHECK ((undone_s IS NULL) = (undone_by IS NULL) AND (undone_s IS NULL) = (undoing IS NULL)),
    -- The exception to the rule that a given date never moves: nothing is annulled without these.
    CHECK (state NOT IN ('annulling', 'annulled', 'undoing', 'undone')
           OR told_s IS NOT NULL AND heard_s IS NOT NULL AND decided_by IS NOT NULL)
);
CREATE UNIQUE INDEX annulment_open ON annulment (registration) WHERE state IN ('proposed', 'annulling', 'annulled', 'undoing');
CREATE INDEX annulment_due ON annulment (site) WHERE state IN ('annulling', 'undoing');
CREATE INDEX annulment_registration ON annulment (registration);
