-- A kiosk that is lost or stolen is heard no more. Its papers stay as they are.
ALTER TABLE kiosk ADD COLUMN lost_s bigint;
