-- When this kiosk last pulled with central holding all it knew to be held; forgotten when
-- central learns that it does not know what left it. An administrator accepts a restored
-- database only when every kiosk has been heard.
ALTER TABLE kiosk ADD COLUMN heard_s bigint;
