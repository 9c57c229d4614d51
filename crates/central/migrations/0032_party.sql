-- Who comes with whom is looked for by the registration a party began with.
CREATE INDEX registration_party ON registration ((body -> 'party' ->> 'first'))
    WHERE (body -> 'party' ->> 'first') IS NOT NULL;
