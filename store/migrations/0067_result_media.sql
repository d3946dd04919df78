-- What was found when a result's address was asked, and where copies of it are kept. Both as JSON.

ALTER TABLE attempts ADD COLUMN media TEXT;
ALTER TABLE attempts ADD COLUMN kept_urls TEXT NOT NULL DEFAULT '[]';
