-- An event that a broker refused waits for its next try, whichever process makes it; those behind it in its video too.

ALTER TABLE outbox ADD COLUMN retry_at DOUBLE PRECISION NOT NULL DEFAULT 0;  -- 0: it was never refused
ALTER TABLE outbox ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
-- Two indexes, so that finding what can be sent never steps over what must wait.
DROP INDEX outbox_unpublished;
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL AND retry_at = 0;
CREATE INDEX outbox_refused ON outbox (retry_at, created_at) WHERE published_at IS NULL AND retry_at > 0;
