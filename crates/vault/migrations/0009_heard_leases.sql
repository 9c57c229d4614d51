-- Every lease that was ever heard: told again, it brings back nothing that was given back since.
CREATE TABLE heard_lease (
    lease BLOB PRIMARY KEY NOT NULL
) STRICT;
INSERT OR IGNORE INTO heard_lease (lease) SELECT lease FROM lease_slot;
