-- The versions of a site's signed lists: what a kiosk names to be told what is newer. They
-- follow the clock, so that a restored database never counts again what kiosks have seen.
CREATE TABLE list (
    site    text NOT NULL REFERENCES site (id),
    kind    text NOT NULL CHECK (kind IN ('configuration', 'issuers', 'papers')),
    version bigint NOT NULL,
    PRIMARY KEY (site, kind)
);

-- Registrations whose earlier papers another has replaced.
CREATE TABLE replaced_paper (
    registration bytea PRIMARY KEY REFERENCES registration (id),
    site         text NOT NULL REFERENCES site (id),
    -- seal::lists::code_mark of its follow-up code.
    code         bytea NOT NULL,
    -- The appointment of the paper that stands; none when the registration is cancelled.
    at           timestamp,
    until        date NOT NULL,
    version      bigint NOT NULL,
    UNIQUE (site, version)
);

-- Keys of central's that sign no more.
CREATE TABLE retired_key (
    -- The first four bytes of its SHA-256.
    key      bytea PRIMARY KEY,
    -- The latest appointment or day it signed for.
    last_day date NOT NULL
);

-- A kiosk taken out of service: it is lent nothing more, and its papers stay good.
ALTER TABLE kiosk ADD COLUMN retired_s bigint;
