-- An agent said that somebody came: what follows from it is still to be done, by the central that runs.
ALTER TABLE arrival ADD COLUMN due boolean NOT NULL DEFAULT false;
CREATE INDEX arrival_due ON arrival (site) WHERE due;
