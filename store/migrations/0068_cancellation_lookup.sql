-- A caller's wish to stop an attempt, what its provider said to it, and how often a lost submission was not found there.

ALTER TABLE attempts ADD COLUMN cancel TEXT;             -- wished, heard or too_late; NULL: nobody wished it
ALTER TABLE attempts ADD COLUMN cancel_at DOUBLE PRECISION;
ALTER TABLE attempts ADD COLUMN absences INTEGER NOT NULL DEFAULT 0;
