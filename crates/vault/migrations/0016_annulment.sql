-- What the préfecture said of annulling an appointment of this kiosk.
CREATE TABLE annulment (
    annulment     BLOB PRIMARY KEY NOT NULL,
    registration  BLOB NOT NULL,
    -- Central is heard anew after it lost something: what it does not say again is no more.
    state         TEXT NOT NULL CHECK (state IN ('open', 'stale', 'annulled', 'over')),
    -- The last civil day for the person's answer, as proposed.
    answer_by     TEXT NOT NULL,
    -- For the printed notice alone; emptied once it is decided.
    reasons       TEXT NOT NULL,
    -- The day on the notice last printed, and when the person had it in hand.
    printed_until TEXT,
    told_s        INTEGER
) STRICT;
CREATE INDEX annulment_registration ON annulment (registration);
-- By an agent's decision: the person cannot take it up again.
ALTER TABLE cancelled ADD COLUMN annulled INTEGER NOT NULL DEFAULT 0 CHECK (annulled IN (0, 1));
