-- API keys that were created here (by their SHA-256 alone), what they spent, and who did what.

CREATE TABLE api_keys (
    id          {sequence},
    name        TEXT NOT NULL,
    digest      TEXT NOT NULL UNIQUE,        -- SHA-256 of the key, in hexadecimal
    scopes      TEXT NOT NULL,               -- separated by spaces
    budget      INTEGER,                     -- videos a day (UTC); NULL: no limit
    created_at  DOUBLE PRECISION NOT NULL,
    expires_at  DOUBLE PRECISION,
    disabled_at DOUBLE PRECISION
);

-- The kill switch for keys that stand in the settings, which only their name is known of.
CREATE TABLE disabled_callers (
    name        TEXT PRIMARY KEY,
    disabled_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE spending (
    caller TEXT NOT NULL,
    day    INTEGER NOT NULL,                 -- days since 1970-01-01 (UTC)
    videos INTEGER NOT NULL,
    PRIMARY KEY (caller, day)
);

CREATE TABLE audit (
    id      {sequence},
    at      DOUBLE PRECISION NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT,
    detail  TEXT
);
