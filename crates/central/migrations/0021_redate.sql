-- Another date for somebody whose own the calendar no longer has. An administrator says so; the
-- central that runs moves the date, and only then does the new one leave it.
CREATE TABLE redate (
    registration bytea NOT NULL REFERENCES registration (id),
    site         text NOT NULL REFERENCES site (id),
    -- The slot the person's paper names.
    before       bigint NOT NULL,
    -- The one that follows: withheld until the date is moved.
    slot         bigint NOT NULL,
    -- Why, as the task has it.
    reason       text NOT NULL,
    said_s       bigint NOT NULL,
    -- The order in which people of one act are moved.
    place        integer NOT NULL,
    moved_s      bigint,
    -- When the kiosk's own record said that it has made the new paper.
    taken_s      bigint,
    PRIMARY KEY (registration, before)
);
CREATE INDEX redate_due ON redate (site, said_s, place) WHERE moved_s IS NULL;
CREATE INDEX redate_moved ON redate (site, moved_s) WHERE moved_s IS NOT NULL;
