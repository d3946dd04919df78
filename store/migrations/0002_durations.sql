-- What was learnt of how long each provider's jobs take; read and written by all pollers.

CREATE TABLE durations (
    provider    TEXT PRIMARY KEY,
    weights     TEXT NOT NULL,
    completions INTEGER NOT NULL             -- how many ends it was learnt from
);
