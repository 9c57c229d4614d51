-- The département of a site: whoever accepts it is given the earliest date of all its sites. Once
-- given it stays, for papers name sites that their kiosk knows by it. A registration's `site` is the
-- one its place is at, which is not where it was made when its date was given elsewhere.
ALTER TABLE site ADD COLUMN department text;
CREATE INDEX site_by_department ON site (department, id) WHERE department IS NOT NULL;
