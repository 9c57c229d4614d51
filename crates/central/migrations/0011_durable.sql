-- Everything received before this moment is in a backup on other storage that was read
-- back: an administrator says so. Kiosks drop nothing that is not.
CREATE TABLE durable (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    until_s bigint NOT NULL
);
