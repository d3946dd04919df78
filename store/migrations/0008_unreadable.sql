-- Rows that this release cannot read, put aside so that they harm only themselves, until some release can.

CREATE TABLE unreadable (
    kind     TEXT NOT NULL CHECK (kind IN ('video', 'attempt')),
    id       TEXT NOT NULL,
    reason   TEXT NOT NULL,
    found_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (kind, id)
);
