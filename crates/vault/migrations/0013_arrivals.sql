-- Whose paper was shown here on the day of its appointment.
CREATE TABLE arrival (
    registration BLOB NOT NULL,
    -- The civil hour on the paper.
    appointment  TEXT NOT NULL,
    came_s       INTEGER NOT NULL,
    PRIMARY KEY (registration, appointment)
) STRICT;
