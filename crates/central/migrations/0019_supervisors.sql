-- A supervisor opens drafts that others began.
ALTER TABLE mediator ADD COLUMN supervisor boolean NOT NULL DEFAULT false;
