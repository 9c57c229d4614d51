-- Sites, their counters and closures; who may work there.
CREATE TABLE site (
    id             text PRIMARY KEY,
    name           text NOT NULL,
    address        text[] NOT NULL,
    phone          text,
    zone           text NOT NULL,
    holidays       text NOT NULL,
    -- The age recipient that opens pieces; central never holds its private half.
    site_key       text NOT NULL,
    -- How many slots a full lease holds.
    lease_slots    smallint NOT NULL CHECK (lease_slots BETWEEN 0 AND 400),
    roster_version bigint NOT NULL DEFAULT 1,
    -- Slots exist up to this day; asking for more makes more.
    slots_until    date NOT NULL
);

CREATE TABLE counter (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site     text NOT NULL REFERENCES site (id),
    name     text NOT NULL,
    -- domain::calendar::Pattern as JSON.
    patterns jsonb NOT NULL,
    UNIQUE (site, name)
);

CREATE TABLE closure (
    site  text NOT NULL REFERENCES site (id),
    first date NOT NULL,
    last  date NOT NULL,
    CHECK (first <= last)
);

CREATE TABLE mediator (
    site text NOT NULL REFERENCES site (id),
    id   text NOT NULL,
    name text NOT NULL,
    -- Argon2id in PHC form.
    pin  text NOT NULL,
    PRIMARY KEY (site, id)
);

CREATE TABLE kiosk (
    id          bytea PRIMARY KEY,
    site        text NOT NULL REFERENCES site (id),
    key         bytea NOT NULL UNIQUE,
    certificate bytea NOT NULL,
    enrolled_s  bigint NOT NULL,
    -- The head of the chain central holds for it.
    incarnation integer NOT NULL DEFAULT 1,
    head_seq    bigint NOT NULL DEFAULT 0,
    head_hash   bytea NOT NULL,
    -- The newest change written for it; raised under this row's lock.
    change_n    bigint NOT NULL DEFAULT 0
);

CREATE TABLE enrol_code (
    -- SHA-256 of the code: the code itself is shown once and never stored.
    code_hash bytea PRIMARY KEY,
    site      text NOT NULL REFERENCES site (id),
    expires_s bigint NOT NULL,
    kiosk     bytea REFERENCES kiosk (id)
);
