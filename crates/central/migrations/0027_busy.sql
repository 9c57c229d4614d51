-- Hours in which a kiosk or a mediator registered more people than they can.
-- What a site allows; null is the usual, domain::busy::PerHour.
ALTER TABLE site ADD COLUMN per_hour_kiosk smallint CHECK (per_hour_kiosk BETWEEN 1 AND 3600);
ALTER TABLE site ADD COLUMN per_hour_mediator smallint CHECK (per_hour_mediator BETWEEN 1 AND 3600);
-- The task its date waits for; null once it is given, or when nothing was waited for.
ALTER TABLE registration ADD COLUMN waits_on bigint;
CREATE INDEX registration_waits ON registration (site) WHERE waits_on IS NOT NULL;
-- A kiosk's registrations of an hour.
CREATE INDEX registration_hour ON registration (kiosk, registered_s);
CREATE INDEX task_busy ON task (registration) WHERE kind = 'busy_hour';
