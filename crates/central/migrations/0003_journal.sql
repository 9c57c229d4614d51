-- Every record central can read the header of, and what became of it.
CREATE TABLE record (
    kiosk       bytea NOT NULL REFERENCES kiosk (id),
    incarnation integer NOT NULL,
    seq         bigint NOT NULL,
    hash        bytea NOT NULL,
    kind        text NOT NULL,
    schema      integer NOT NULL,
    header      bytea NOT NULL,
    signature   bytea NOT NULL,
    salt        bytea NOT NULL,
    body        bytea NOT NULL,
    received_s  bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('held', 'applied', 'set_aside', 'waits')),
    reason      text,
    PRIMARY KEY (kiosk, incarnation, seq)
);
CREATE INDEX record_held ON record (kiosk, incarnation, seq) WHERE state = 'held';

-- What a kiosk pulls. n rises by one under the kiosk row's lock, so a cursor misses nothing.
CREATE TABLE change (
    kiosk bytea NOT NULL REFERENCES kiosk (id),
    n     bigint NOT NULL,
    body  jsonb NOT NULL,
    PRIMARY KEY (kiosk, n)
);

CREATE TABLE print (
    attempt      bytea PRIMARY KEY,
    registration bytea NOT NULL,
    kiosk        bytea NOT NULL REFERENCES kiosk (id),
    state        text NOT NULL,
    at_s         bigint NOT NULL
);
