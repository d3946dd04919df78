-- Times are Unix seconds in UTC. {sequence} is the dialect's ascending primary key, {bytes} its binary type.

CREATE TABLE videos (
    id            TEXT PRIMARY KEY,          -- UUIDv7: sorts by age
    state         TEXT NOT NULL CHECK (state IN ('accepted', 'submitting', 'generating', 'ready', 'failed')),
    motion        TEXT NOT NULL,
    orientation   TEXT NOT NULL,
    prompt        TEXT,
    metadata      TEXT NOT NULL,
    choice        TEXT NOT NULL,             -- what the caller asked for: a provider, or auto
    fallback      INTEGER NOT NULL,
    provider      TEXT,                      -- of the newest attempt
    image_url     TEXT,                      -- NULL: the picture was uploaded
    input_image   TEXT NOT NULL,
    caller        TEXT NOT NULL,             -- the name of the API key
    error_code    TEXT,
    error_message TEXT,
    created_at    DOUBLE PRECISION NOT NULL,
    updated_at    DOUBLE PRECISION NOT NULL,
    completed_at  DOUBLE PRECISION
);
CREATE INDEX videos_by_state ON videos (state, id);

CREATE TABLE pictures (
    video_id     TEXT PRIMARY KEY REFERENCES videos (id),
    content_type TEXT NOT NULL,
    body         {bytes} NOT NULL
);

CREATE TABLE idempotency_keys (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,               -- of the parsed fields and the picture's bytes
    video_id    TEXT NOT NULL,
    created_at  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE attempts (
    id              TEXT PRIMARY KEY,        -- UUIDv7: sorts by age; its webhook address adds a signature
    video_id        TEXT NOT NULL REFERENCES videos (id),
    number          INTEGER NOT NULL,
    provider        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN
                        ('waiting', 'claimed', 'sending', 'unconfirmed', 'generating', 'succeeded', 'failed')),
    tries           INTEGER NOT NULL DEFAULT 0,
    provider_job_id TEXT,
    due_at          DOUBLE PRECISION,        -- when somebody must act on it next; NULL: nobody has to
    lease_owner     TEXT,
    lease_until     DOUBLE PRECISION NOT NULL DEFAULT 0,
    submitted_at    DOUBLE PRECISION,
    accepted_at     DOUBLE PRECISION,
    finished_at     DOUBLE PRECISION,
    woken_at        DOUBLE PRECISION,        -- when its newest webhook came
    checked_at      DOUBLE PRECISION,        -- when its newest check began
    doubt           TEXT,                    -- the answer that would end it if it is repeated
    doubt_since     DOUBLE PRECISION,
    doubt_count     INTEGER NOT NULL DEFAULT 0,
    detected_by     TEXT,
    output_urls     TEXT NOT NULL DEFAULT '[]',
    error_code      TEXT,
    error_message   TEXT,
    refund_status   TEXT,
    refund_credits  INTEGER,
    UNIQUE (video_id, number)
);
CREATE INDEX attempts_to_submit ON attempts (provider, due_at) WHERE state IN ('waiting', 'claimed', 'sending');
CREATE INDEX attempts_to_check ON attempts (provider, due_at) WHERE state IN ('unconfirmed', 'generating');
CREATE INDEX attempts_to_check_late ON attempts (provider, due_at) WHERE state = 'failed' AND due_at IS NOT NULL;
CREATE INDEX attempts_by_acceptance ON attempts (accepted_at) WHERE state = 'generating';
CREATE INDEX attempts_by_lease ON attempts (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX attempts_by_job ON attempts (provider, provider_job_id) WHERE provider_job_id IS NOT NULL;

CREATE TABLE webhooks (
    id           {sequence},
    attempt_id   TEXT NOT NULL,
    received_at  DOUBLE PRECISION NOT NULL,
    content_type TEXT,
    body         {bytes},                    -- NULL: too large to keep
    size         INTEGER NOT NULL,
    handled_at   DOUBLE PRECISION
);
CREATE INDEX webhooks_unhandled ON webhooks (id) WHERE handled_at IS NULL;
CREATE INDEX webhooks_by_attempt ON webhooks (attempt_id);

CREATE TABLE outbox (
    seq          {sequence},
    event_id     TEXT NOT NULL UNIQUE,
    video_id     TEXT NOT NULL,
    type         TEXT NOT NULL,
    routing_key  TEXT NOT NULL,
    body         TEXT NOT NULL,              -- the finished CloudEvents document
    created_at   DOUBLE PRECISION NOT NULL,
    published_at DOUBLE PRECISION,
    last_error   TEXT
);
-- A second terminal event of a video cannot exist, whoever tries.
CREATE UNIQUE INDEX outbox_one_terminal ON outbox (video_id) WHERE type IN ('video.ready', 'video.failed');
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_by_video ON outbox (video_id);

CREATE TABLE credits (
    seq        {sequence},
    provider   TEXT NOT NULL,
    attempt_id TEXT NOT NULL,
    entry      TEXT NOT NULL CHECK (entry IN ('spent', 'refunded', 'unknown')),
    remaining  INTEGER,                      -- what the provider reported with it
    sent_at    DOUBLE PRECISION NOT NULL,    -- when the request left that this entry comes from
    at         DOUBLE PRECISION NOT NULL,
    UNIQUE (attempt_id, entry)
);
CREATE INDEX credits_by_provider ON credits (provider, seq);

CREATE TABLE history (
    id       {sequence},
    video_id TEXT NOT NULL,
    attempt  INTEGER,
    at       DOUBLE PRECISION NOT NULL,
    what     TEXT NOT NULL,
    detail   TEXT
);
CREATE INDEX history_by_video ON history (video_id);

CREATE TABLE providers (
    name               TEXT PRIMARY KEY,
    tokens             DOUBLE PRECISION NOT NULL,  -- requests that may be made at once
    refilled_at        DOUBLE PRECISION NOT NULL,
    paused_until       DOUBLE PRECISION NOT NULL DEFAULT 0,
    unauthorized_since DOUBLE PRECISION
);

CREATE TABLE leases (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until DOUBLE PRECISION NOT NULL
);

CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
