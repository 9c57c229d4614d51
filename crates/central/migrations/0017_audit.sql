-- The audit journal. No table of it refers to another: it outlives what it speaks of.
-- An entry is first written here, in the transaction of the act, so that acts never wait for
-- each other.
CREATE TABLE audit_waiting (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who     text NOT NULL CHECK (length(who) BETWEEN 1 AND 120),
    act     text NOT NULL CHECK (length(act) BETWEEN 1 AND 40),
    -- The id of a registration, site, kiosk or key. Never a name.
    about   text CHECK (length(about) BETWEEN 1 AND 64),
    count   integer NOT NULL CHECK (count >= 0),
    -- By the database's clock: one for any number of centrals.
    said_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
);

-- Then chained, one transaction at a time. domain::audit::AuditHeader, and its body beside it.
CREATE TABLE audit_entry (
    n         bigint PRIMARY KEY,
    at_ms     bigint NOT NULL,
    prev      bytea NOT NULL,
    body_hash bytea NOT NULL,
    -- Zeros and empty once the body was erased.
    salt      bytea NOT NULL,
    body      text NOT NULL
);

-- How far the chain went at some moment, signed by central.
CREATE TABLE audit_checkpoint (
    size      bigint PRIMARY KEY,
    head      bytea NOT NULL UNIQUE,
    at_ms     bigint NOT NULL,
    key       text NOT NULL,
    signature bytea NOT NULL
);

-- The largest checkpoint each kiosk has signed.
CREATE TABLE audit_cosignature (
    kiosk     bytea PRIMARY KEY,
    size      bigint NOT NULL,
    head      bytea NOT NULL,
    at_ms     bigint NOT NULL,
    signature bytea NOT NULL
);
