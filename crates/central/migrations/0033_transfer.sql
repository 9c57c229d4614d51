-- Transfer of residence: a registration at the site the person moved to follows the one they had, and
-- ranks by its registration time.
-- The time a place ranks by, in Unix seconds: that of the registration, or of the one it follows.
ALTER TABLE registration ADD COLUMN ranked_s bigint;
UPDATE registration SET ranked_s = registered_s;
ALTER TABLE registration ALTER COLUMN ranked_s SET NOT NULL;
DROP INDEX registration_rank;
CREATE INDEX registration_rank ON registration (site, procedure, class, ranked_s, tie_break);

-- Each registration that names a paper it follows, whether that was found or not.
CREATE TABLE transfer (
    registration bytea PRIMARY KEY REFERENCES registration (id) ON DELETE CASCADE,
    kiosk        bytea NOT NULL REFERENCES kiosk (id),
    -- The follow-up code on that paper.
    code         bigint NOT NULL,
    -- The registration whose time was taken over: one follows it at most. Null: none counts, or it was
    -- erased since.
    earlier      bytea UNIQUE REFERENCES registration (id) ON DELETE SET NULL,
    -- The site it was taken over from.
    site         text REFERENCES site (id),
    -- When the person said that they keep this one; the earlier place is over from then on.
    kept_s       bigint,
    -- What its kiosk was told last; null: nothing yet.
    told         jsonb,
    -- How often it was looked at: those looked at least come first.
    looked       bigint NOT NULL DEFAULT 0,
    -- Nothing is left to be told: given up or honoured.
    over         boolean NOT NULL DEFAULT false
);
CREATE INDEX transfer_open ON transfer (kiosk, looked) WHERE NOT over;
