-- Slots, leases, registrations. I1 stands in two unique indexes: a slot has at most one
-- registration, a registration at most one slot.
CREATE TABLE lease (
    id      bytea PRIMARY KEY,
    kiosk   bytea NOT NULL REFERENCES kiosk (id),
    given_s bigint NOT NULL
);

CREATE TABLE registration (
    id           bytea PRIMARY KEY,
    code         bigint NOT NULL UNIQUE,
    site         text NOT NULL REFERENCES site (id),
    kiosk        bytea NOT NULL REFERENCES kiosk (id),
    procedure    text NOT NULL,
    class        text NOT NULL,
    registered_s bigint NOT NULL,
    tie_break    bigint NOT NULL,
    -- domain::registration::Registration as JSON.
    body         jsonb NOT NULL,
    -- SHA-256 of AGDREF number, folded name and birth date; none without a number.
    person       bytea,
    -- 'asked' until the kiosk's own record arrives, then 'kept'.
    state        text NOT NULL CHECK (state IN ('asked', 'kept')),
    after_limit  boolean NOT NULL DEFAULT false
);
CREATE INDEX registration_person ON registration (person, procedure) WHERE person IS NOT NULL;
CREATE INDEX registration_rank ON registration (site, procedure, class, registered_s, tie_break);

CREATE TABLE slot (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site         text NOT NULL REFERENCES site (id),
    counter      bigint NOT NULL REFERENCES counter (id),
    at           timestamp NOT NULL,
    lease        bytea REFERENCES lease (id),
    stratum      text,
    registration bytea UNIQUE REFERENCES registration (id),
    UNIQUE (counter, at),
    CHECK ((lease IS NULL) = (stratum IS NULL))
);
CREATE INDEX slot_free ON slot (site, at, id) WHERE lease IS NULL AND registration IS NULL;
CREATE INDEX slot_lease ON slot (lease) WHERE lease IS NOT NULL;

-- The same person and procedure registered twice: a reversible link to the earlier one.
CREATE TABLE merge_link (
    later   bytea PRIMARY KEY REFERENCES registration (id),
    earlier bytea NOT NULL REFERENCES registration (id),
    made_s  bigint NOT NULL
);

CREATE TABLE escalation (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site         text NOT NULL REFERENCES site (id),
    registration bytea NOT NULL REFERENCES registration (id),
    reason       text NOT NULL,
    made_s       bigint NOT NULL,
    UNIQUE (registration, reason)
);
