-- When central's word on a record was heard here; null: none was.
ALTER TABLE record ADD COLUMN result_s INTEGER;
-- The letter of a time limit that no date serves, as it last came out of the printer. Another date, day
-- or word of central makes it another letter.
CREATE TABLE limit_letter (
    registration BLOB PRIMARY KEY NOT NULL,
    -- The civil hour of the appointment it names, and the last day that was declared.
    appointment  TEXT NOT NULL,
    last_day     TEXT NOT NULL,
    -- When the préfecture was told, as it says; null: it says that nothing confirms it yet.
    told_s       INTEGER,
    -- When the person had it in hand; null: it is printed and no more.
    handed_s     INTEGER
) STRICT;
