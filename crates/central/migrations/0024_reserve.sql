-- What a site keeps of each day for near time limits, as counted on one of its days.
CREATE TABLE reserve (
    site text NOT NULL REFERENCES site (id),
    day  date NOT NULL,
    -- domain::reserve::Reserve as JSON.
    body jsonb NOT NULL,
    PRIMARY KEY (site, day)
);

-- Whoever registered lately.
CREATE INDEX registration_lately ON registration (site, registered_s);
