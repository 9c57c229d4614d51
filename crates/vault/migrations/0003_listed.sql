-- Registrations whose earlier papers are not good any more, as central has signed.
CREATE TABLE listed_paper (
    -- seal::lists::code_mark of the follow-up code.
    code  BLOB PRIMARY KEY NOT NULL,
    -- The appointment of the paper that stands; none when the registration is cancelled.
    at    TEXT,
    -- From this day on nobody need know it any more.
    until TEXT NOT NULL
) STRICT;
