-- What people said of their appointment at another kiosk than the one that made their paper.
CREATE TABLE word (
    id           bytea PRIMARY KEY,
    -- After a restore it may come before its registration, which its own kiosk sends again.
    registration bytea NOT NULL,
    -- The code on the paper, as printed.
    code         text NOT NULL,
    says         text NOT NULL CHECK (says IN ('cancel', 'take_back', 'come')),
    -- The civil hour it was said of.
    appointment  timestamp,
    -- Where the person stood, and who was at the counter.
    kiosk        bytea NOT NULL,
    mediator     text NOT NULL,
    said_s       bigint NOT NULL,
    -- Null while its registration is not known.
    done_s       bigint
);
CREATE INDEX word_registration ON word (registration, said_s);
CREATE INDEX word_due ON word (registration) WHERE done_s IS NULL;
