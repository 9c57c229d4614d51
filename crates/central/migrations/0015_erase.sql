-- Which registration a record is about, so that its body can be erased with it.
ALTER TABLE record ADD COLUMN registration bytea;
-- The body of an applied record is JSON that was read.
UPDATE record SET registration = decode(coalesce(convert_from(body, 'UTF8')::jsonb #>> '{registration,id}',
                                                 convert_from(body, 'UTF8')::jsonb ->> 'registration'), 'hex')
    WHERE state = 'applied' AND kind IN ('registration', 'dated', 'piece', 'print') AND length(body) > 0;
CREATE INDEX record_registration ON record (registration) WHERE registration IS NOT NULL;
CREATE INDEX upload_registration ON upload (registration);
CREATE INDEX print_registration ON print (registration);
