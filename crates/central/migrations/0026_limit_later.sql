-- A time limit declared after the registration. `body` and `class` are those with it: every rule
-- that reads them goes by the limit that counts now.
-- When it was said at the counter; null while the limit is that of the registration. 0: the paper
-- alone says it, read back from a lost kiosk's.
ALTER TABLE registration ADD COLUMN limit_said_s bigint;
-- When central heard of it; 0 with the other.
ALTER TABLE registration ADD COLUMN limit_heard_s bigint;
-- What the registration came with, JSON null for none: told again, it is still that registration.
ALTER TABLE registration ADD COLUMN first_limit jsonb;
ALTER TABLE registration ADD CHECK ((limit_said_s IS NULL) = (limit_heard_s IS NULL) AND (limit_said_s IS NULL) = (first_limit IS NULL));
-- The first day its date may lie on, as the rule said when the body was written. Null is not known:
-- the rule is asked. Whoever may not come yet is so passed over by slots that came free.
ALTER TABLE registration ADD COLUMN earliest date;
