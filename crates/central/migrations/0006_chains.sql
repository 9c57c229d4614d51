-- A kiosk's journal may hold several chains: two machines running one vault write a fork,
-- a restored disk takes up an older place in a new incarnation. All are held and applied.
CREATE TABLE chain (
    kiosk       bytea NOT NULL REFERENCES kiosk (id),
    n           integer NOT NULL,
    -- Of the chain's newest record.
    incarnation integer NOT NULL,
    head_seq    bigint NOT NULL,
    head_hash   bytea NOT NULL,
    begun_s     bigint NOT NULL,
    PRIMARY KEY (kiosk, n),
    UNIQUE (kiosk, head_hash)
);
INSERT INTO chain (kiosk, n, incarnation, head_seq, head_hash, begun_s)
    SELECT id, 1, incarnation, head_seq, head_hash, enrolled_s FROM kiosk WHERE head_seq > 0;
ALTER TABLE kiosk DROP COLUMN incarnation, DROP COLUMN head_seq, DROP COLUMN head_hash;
-- Set when two machines have written as this kiosk: it is lent nothing until an agent
-- has looked.
ALTER TABLE kiosk ADD COLUMN quarantined_s bigint;

ALTER TABLE record ADD COLUMN chain integer NOT NULL DEFAULT 1;
ALTER TABLE record ALTER COLUMN chain DROP DEFAULT;
ALTER TABLE record DROP CONSTRAINT record_pkey;
ALTER TABLE record ADD PRIMARY KEY (kiosk, chain, seq);
ALTER TABLE record ADD CONSTRAINT record_once UNIQUE (kiosk, hash);
DROP INDEX record_held;
CREATE INDEX record_held ON record (kiosk, chain, seq) WHERE state = 'held';

-- Slots lent to an incarnation that is gone may stand on papers nobody has reported: they
-- are neither counted nor lent again before their day.
ALTER TABLE lease ADD COLUMN incarnation integer NOT NULL DEFAULT 1;
ALTER TABLE lease ALTER COLUMN incarnation DROP DEFAULT;
