-- The keys of the procedures a leased slot serves, with a space between; all when null.
ALTER TABLE lease_slot ADD COLUMN procedures TEXT;
