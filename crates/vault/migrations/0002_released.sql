-- A leased slot given back stays known: a lease pulled a second time must not bring it
-- back, only a new lease may.
ALTER TABLE lease_slot ADD COLUMN released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1));
