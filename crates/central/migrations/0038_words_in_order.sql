-- Of words said in one second the order in which they came counts; who brought a word is kept, for the
-- audit journal; and so is what became of it.
ALTER TABLE word ADD COLUMN arrived bigint GENERATED ALWAYS AS IDENTITY;
-- The kiosk that brought it; another than the one where it was said after a restore.
ALTER TABLE word ADD COLUMN brought_by bytea;
-- waits: its registration is not known yet; over: something else was said since, or it was refused.
ALTER TABLE word ADD COLUMN state text;
UPDATE word SET brought_by = kiosk, state = CASE WHEN done_s IS NULL THEN 'waits' ELSE 'done' END;
ALTER TABLE word ALTER COLUMN brought_by SET NOT NULL, ALTER COLUMN state SET NOT NULL,
    ADD CHECK (state IN ('waits', 'done', 'over')),
    ADD CHECK ((state = 'waits') = (done_s IS NULL));
DROP INDEX word_registration;
DROP INDEX word_due;
CREATE INDEX word_registration ON word (registration, said_s, arrived);
CREATE INDEX word_due ON word (registration) WHERE state = 'waits';
