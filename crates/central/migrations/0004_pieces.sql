-- Locked pages, received in parts (tus 1.0). Central cannot open them.
CREATE TABLE upload (
    page         bytea PRIMARY KEY,
    kiosk        bytea NOT NULL REFERENCES kiosk (id),
    registration bytea NOT NULL,
    sha256       bytea NOT NULL,
    length       bigint NOT NULL,
    received     bigint NOT NULL DEFAULT 0,
    complete     boolean NOT NULL DEFAULT false
);

CREATE TABLE upload_part (
    page   bytea NOT NULL REFERENCES upload (page) ON DELETE CASCADE,
    start  bigint NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (page, start)
);

-- The pages of a registration, as its kiosk listed them.
CREATE TABLE piece_page (
    registration bytea NOT NULL,
    page         bytea NOT NULL,
    number       integer NOT NULL,
    rotation     integer NOT NULL,
    sha256       bytea NOT NULL,
    length       bigint NOT NULL,
    PRIMARY KEY (registration, page)
);
