-- Videos are found by their metadata, a request's trace is kept, and what an erasure removes is found by an index.

CREATE TABLE video_metadata (
    name     TEXT NOT NULL,
    value    TEXT NOT NULL,
    video_id TEXT NOT NULL,
    PRIMARY KEY (name, value, video_id)
);
INSERT INTO video_metadata (name, value, video_id)
SELECT pair.key, pair.value, videos.id FROM videos, {metadata_pairs} AS pair
WHERE pair.key IS NOT NULL AND pair.value IS NOT NULL ON CONFLICT DO NOTHING;

ALTER TABLE videos ADD COLUMN traceparent TEXT;
ALTER TABLE videos ADD COLUMN tracestate TEXT;
CREATE INDEX idempotency_keys_by_video ON idempotency_keys (video_id);
