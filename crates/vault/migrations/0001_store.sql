-- The kiosk's store. Bodies are wire's bytes; a few columns are indexed beside them.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT;

-- The journal: one chain of signed headers with bodies beside them.
CREATE TABLE record (
    seq          INTEGER PRIMARY KEY NOT NULL,
    hash         BLOB NOT NULL,
    record       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    registration BLOB,
    at_s         INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'applied', 'set_aside')),
    reason       TEXT
) STRICT;
CREATE INDEX record_state ON record (state, seq);

-- One visit of one applicant: a draft, then a kept date.
CREATE TABLE visit (
    id           BLOB PRIMARY KEY NOT NULL,
    mediator     TEXT NOT NULL,
    fields       TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('draft', 'asking', 'kept', 'finished')),
    -- What central is asked about, fixed before it is asked.
    registration BLOB UNIQUE,
    asked        TEXT,
    -- The session's age identity; destroyed when the visit is finished.
    identity     TEXT,
    begun_s      INTEGER NOT NULL
) STRICT;

-- What a kept registration's paper is made from, so that a reprint carries the same seal.
CREATE TABLE paper (
    registration BLOB PRIMARY KEY NOT NULL,
    code         INTEGER NOT NULL UNIQUE,
    registered   TEXT NOT NULL,
    token        BLOB,
    door         BLOB NOT NULL,
    rebuild      BLOB NOT NULL,
    issued_s     INTEGER NOT NULL
) STRICT;

-- Slots lent to this kiosk.
CREATE TABLE lease_slot (
    slot         INTEGER PRIMARY KEY NOT NULL,
    lease        BLOB NOT NULL,
    at           TEXT NOT NULL,
    stratum      TEXT NOT NULL,
    token        BLOB NOT NULL,
    registration BLOB UNIQUE
) STRICT;

-- Scanned pages, locked at capture.
CREATE TABLE page (
    id        BLOB PRIMARY KEY NOT NULL,
    visit     BLOB NOT NULL REFERENCES visit (id),
    number    INTEGER NOT NULL,
    locked    BLOB NOT NULL,
    sha256    BLOB NOT NULL,
    -- For the eye, while the visit is open; erased when it is finished.
    thumbnail BLOB,
    state     TEXT NOT NULL CHECK (state IN ('draft', 'kept', 'sent')),
    UNIQUE (visit, number)
) STRICT;

CREATE TABLE attempt (
    id           BLOB PRIMARY KEY NOT NULL,
    registration BLOB NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('attempted', 'sent', 'printed', 'failed')),
    job          INTEGER,
    sha256       BLOB NOT NULL,
    bytes        INTEGER NOT NULL,
    at_s         INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_registration ON attempt (registration, at_s);
