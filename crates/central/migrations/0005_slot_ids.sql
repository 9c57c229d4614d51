-- A slot's id is made from where and when it is, so that a database restored from a
-- backup names the same slot alike and never another. An extra slot stands beside an
-- ordinary one at the same counter and hour, under an id of its own.
ALTER TABLE slot ALTER COLUMN id DROP IDENTITY;
ALTER TABLE slot ADD COLUMN extra smallint NOT NULL DEFAULT 0 CHECK (extra BETWEEN 0 AND 99);
ALTER TABLE slot DROP CONSTRAINT slot_counter_at_key;
ALTER TABLE slot ADD CONSTRAINT slot_hour UNIQUE (counter, at, extra);
