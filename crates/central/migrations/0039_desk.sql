-- What the desk has to do about a record that could not be carried out, or a question that came in, and
-- who of the desk asks for it over the network.
-- A record may be about nobody whose registration is known here: then the task is about its kiosk.
ALTER TABLE task ALTER COLUMN registration DROP NOT NULL;
ALTER TABLE task ADD COLUMN kiosk bytea REFERENCES kiosk (id);
-- What was asked, in the words of whoever wrote it down.
ALTER TABLE task ADD COLUMN question text;
-- Said again with the same key, a question is the same one.
ALTER TABLE task ADD COLUMN key text;
ALTER TABLE task ADD CONSTRAINT task_about CHECK (registration IS NOT NULL OR kiosk IS NOT NULL);
DROP INDEX task_open;
-- One of a kind is open at a time; a person may ask more than once.
CREATE UNIQUE INDEX task_open ON task (registration, kind, reason) WHERE answer IS NULL AND kind <> 'question';
CREATE UNIQUE INDEX task_of_kiosk ON task (kiosk, kind, reason) WHERE answer IS NULL AND registration IS NULL;
CREATE UNIQUE INDEX task_key ON task (site, key) WHERE key IS NOT NULL;

-- Agents of a site's desk who read and answer its tasks over the network.
CREATE TABLE agent (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site      text NOT NULL REFERENCES site (id),
    name      text NOT NULL,
    -- SHA-256 of the key they hold; the key itself is told once.
    key_hash  bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    made_s    bigint NOT NULL,
    until_s   bigint NOT NULL,
    ended_s   bigint
);
