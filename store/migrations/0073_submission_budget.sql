-- Submissions have a token bucket of their own where a provider limits them apart from its other requests.

ALTER TABLE providers ADD COLUMN submission_tokens DOUBLE PRECISION; -- NULL: the bucket is full
ALTER TABLE providers ADD COLUMN submission_refilled_at DOUBLE PRECISION;
