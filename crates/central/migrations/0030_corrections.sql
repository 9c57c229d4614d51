-- A detail corrected after the registration. `body` and `person` are those with it: the desk and the
-- search for the same person go by what is right now.
-- What the registration came with, `{applicant, lang}`; null while nothing was corrected. Told
-- again, it is still that registration.
ALTER TABLE registration ADD COLUMN first_details jsonb;
-- When the correction that stands was said at the counter.
ALTER TABLE registration ADD COLUMN details_said_s bigint;
ALTER TABLE registration ADD CHECK ((details_said_s IS NULL) = (first_details IS NULL));

-- Every correction taken, in the order it came: the next is judged by all of them, and each has a
-- paper that stays good.
CREATE TABLE correction (
    registration bytea NOT NULL REFERENCES registration (id),
    number       integer NOT NULL,
    said_s       bigint NOT NULL,
    -- `domain::correction::Details`.
    details      jsonb NOT NULL,
    PRIMARY KEY (registration, number)
);
