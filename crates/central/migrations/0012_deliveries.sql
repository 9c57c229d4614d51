-- Export files on their way to central at another kiosk, in parts. Locked to central's
-- delivery key; the parts go once the file was taken or refused.
CREATE TABLE delivery (
    carrier  bytea NOT NULL REFERENCES kiosk (id),
    sha256   bytea NOT NULL,
    length   bigint NOT NULL,
    received bigint NOT NULL DEFAULT 0,
    state    text NOT NULL CHECK (state IN ('uploading', 'whole', 'done', 'refused')),
    -- What became of it, as the kiosk that carried it is told.
    result   jsonb,
    begun_s  bigint NOT NULL,
    PRIMARY KEY (carrier, sha256)
);

CREATE TABLE delivery_part (
    carrier bytea NOT NULL,
    sha256  bytea NOT NULL,
    start   bigint NOT NULL,
    bytes   bytea NOT NULL,
    PRIMARY KEY (carrier, sha256, start),
    FOREIGN KEY (carrier, sha256) REFERENCES delivery (carrier, sha256) ON DELETE CASCADE
);

-- Records of this kiosk were brought in a file by an administrator, beside a central that
-- runs: the next exchange of any kiosk of the site applies them.
ALTER TABLE kiosk ADD COLUMN delivered boolean NOT NULL DEFAULT false;
CREATE INDEX kiosk_delivered ON kiosk (site) WHERE delivered;
