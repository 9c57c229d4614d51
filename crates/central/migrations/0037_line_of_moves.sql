-- A registration that followed another and was given up: the line between the two is remembered, for
-- whoever was received with the other one meanwhile is not given a second date.
ALTER TABLE transfer ADD COLUMN was bytea REFERENCES registration (id) ON DELETE SET NULL;
