-- Registrations that are cancelled, and slots that came free and are offered to one person after
-- the other before anybody who registers gets them.
-- When the person cancelled; null while they have not.
ALTER TABLE registration ADD COLUMN cancelled_s bigint;
-- The slot they gave up: theirs again if they come back before it is anybody else's.
ALTER TABLE registration ADD COLUMN cancelled_slot bigint;
-- And its hour, which their paper names.
ALTER TABLE registration ADD COLUMN cancelled_at timestamp;

-- It left central again after all this database knows of whoever holds it (the lease log says so):
-- given up by them, it is nobody's to be offered.
ALTER TABLE slot ADD COLUMN left_again boolean NOT NULL DEFAULT false;

-- Such a slot is withheld: no other way of giving a slot sees it.
CREATE TABLE freed_slot (
    slot   bigint PRIMARY KEY REFERENCES slot (id) ON DELETE CASCADE,
    site   text NOT NULL REFERENCES site (id),
    -- How often it was offered.
    offers integer NOT NULL DEFAULT 0
);
CREATE INDEX freed_slot_site ON freed_slot (site, slot);

CREATE TABLE offer (
    id           bytea PRIMARY KEY,
    site         text NOT NULL REFERENCES site (id),
    -- The slot may go when the calendar changes; the offer is told all the same.
    slot         bigint NOT NULL,
    at           timestamp NOT NULL,
    registration bytea NOT NULL REFERENCES registration (id) ON DELETE CASCADE,
    made_s       bigint NOT NULL,
    -- The last civil day at the site on which it may be answered.
    last_day     date NOT NULL,
    state        text NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'lapsed', 'withdrawn')),
    answered_s   bigint,
    -- The hour an accepted one took the place of.
    before       timestamp,
    CHECK ((before IS NULL) = (state <> 'accepted')),
    CHECK ((state = 'open') = (answered_s IS NULL))
);
-- One slot is offered to one person at a time, and one person has one offer at a time.
CREATE UNIQUE INDEX offer_open_slot ON offer (slot) WHERE state = 'open';
CREATE UNIQUE INDEX offer_open_registration ON offer (registration) WHERE state = 'open';
CREATE INDEX offer_registration ON offer (registration);
CREATE INDEX offer_open_site ON offer (site, last_day) WHERE state = 'open';

-- Whom no date exists for: looked for again and again.
CREATE INDEX escalation_no_capacity ON escalation (site) WHERE reason = 'no_capacity';
