-- Temporary and mobile sites, openings on single days, several people at one hour, counters
-- that serve some procedures only; and what becomes of dates when the calendar changes.
ALTER TABLE site ADD COLUMN kind text NOT NULL DEFAULT 'fixed' CHECK (kind IN ('fixed', 'temporary', 'mobile'));
ALTER TABLE site ADD COLUMN last_day date CHECK ((kind = 'temporary') = (last_day IS NOT NULL));
-- The first day on which there may be slots.
ALTER TABLE site ADD COLUMN first_day date;
UPDATE site SET first_day = coalesce((SELECT min(at)::date FROM slot WHERE slot.site = site.id), slots_until + 1);
ALTER TABLE site ALTER COLUMN first_day SET NOT NULL;

-- Of one counter, or of the whole site.
ALTER TABLE closure ADD COLUMN counter bigint REFERENCES counter (id);
ALTER TABLE closure ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;

CREATE TABLE opening (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site    text NOT NULL REFERENCES site (id),
    counter bigint NOT NULL REFERENCES counter (id),
    day     date NOT NULL,
    -- domain::calendar::Opening as JSON.
    body    jsonb NOT NULL
);
CREATE INDEX opening_counter ON opening (counter, day);

-- An hour has an ordinary slot for each person received at once: extra 0, -1, -2 and so on.
-- Extra slots, drawn at random, are above 0.
-- What the slot serves; all when null.
ALTER TABLE slot ADD COLUMN procedures text[];
-- The calendar no longer has it. Somebody holds it or may, so it stays, and is not given again.
ALTER TABLE slot ADD COLUMN outside boolean NOT NULL DEFAULT false;
DROP INDEX slot_free;
CREATE INDEX slot_free ON slot (site, at, id)
    WHERE lease IS NULL AND registration IS NULL AND extra <= 0 AND NOT withheld AND NOT outside;

-- domain::task::TaskKind says which kinds there are.
ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check CHECK (kind ~ '^[a-z_]{1,32}$');
