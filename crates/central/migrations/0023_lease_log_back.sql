-- Where the database stood in the lease log that was said to be lost: given again, that
-- log is followed from there, and nothing was lost.
ALTER TABLE lease_log ADD COLUMN lost_n bigint;
ALTER TABLE lease_log ADD COLUMN lost_hash bytea;
