-- The shapes of providers' answers that no page documents, each kept once: redacted, and counted.

CREATE TABLE answer_shapes (
    provider     TEXT NOT NULL,
    shape        TEXT NOT NULL,              -- what is the same for answers of one shape
    status       INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    body         TEXT NOT NULL,              -- JSON in which every value is replaced by what kind it is
    read_as      TEXT NOT NULL,              -- what the release that saw it first took it for
    release      TEXT NOT NULL,
    first_at     DOUBLE PRECISION NOT NULL,
    last_at      DOUBLE PRECISION NOT NULL,
    seen         INTEGER NOT NULL,
    PRIMARY KEY (provider, shape)
);
