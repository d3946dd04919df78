-- An uploaded picture is a file beside the database; this says which, and when nobody needs it any more.

CREATE TABLE uploads (
    video_id     TEXT PRIMARY KEY REFERENCES videos (id),
    content_type TEXT NOT NULL,
    size         INTEGER NOT NULL,           -- in bytes
    sha256       TEXT,
    name         TEXT,                       -- of the file; NULL: an earlier release put the bytes into pictures
    unused_since DOUBLE PRECISION            -- when its video ended; NULL: it has not
);
CREATE INDEX uploads_unused ON uploads (unused_since) WHERE unused_since IS NOT NULL;
CREATE INDEX uploads_by_name ON uploads (name) WHERE name IS NOT NULL;

-- No picture is moved: those that there are stay where they are until they are dropped.
INSERT INTO uploads (video_id, content_type, size, unused_since)
SELECT pictures.video_id, pictures.content_type, LENGTH(pictures.body), videos.completed_at
FROM pictures JOIN videos ON videos.id = pictures.video_id;
