-- Where many hosts share a store, uploaded pictures are rows of it; one file of one host keeps them beside it.

CREATE TABLE picture_bodies (
    name    TEXT PRIMARY KEY,                -- as in uploads
    body    {bytes} NOT NULL,
    kept_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX picture_bodies_by_age ON picture_bodies (kept_at);
