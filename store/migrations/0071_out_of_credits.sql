-- A provider that refuses submissions because the account is empty is known to all processes, as a refused key is.

ALTER TABLE providers ADD COLUMN out_of_credits_since DOUBLE PRECISION; -- NULL: it took the last one, or was not asked
