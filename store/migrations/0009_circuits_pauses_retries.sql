-- An outage is waited out: what all processes know of it, what operators decided, and the second try of a failed video.

CREATE TABLE circuits (
    provider      TEXT PRIMARY KEY,
    failures      INTEGER NOT NULL,          -- submissions in a row that it did not answer usefully
    reason        TEXT,                      -- of the newest of them
    opened_at     DOUBLE PRECISION,          -- of the newest outage; NULL: there was none yet
    closed_at     DOUBLE PRECISION,          -- when that was over; NULL: it lasts
    probe_at      DOUBLE PRECISION NOT NULL, -- from when on one submission may test it
    probe_attempt TEXT                       -- the attempt that tests it
);

CREATE TABLE pauses (
    provider TEXT PRIMARY KEY,
    since    DOUBLE PRECISION NOT NULL,
    caller   TEXT NOT NULL                   -- the name of the API key that asked for it
);

-- Of those that wait, the few that their provider has turned away: doubt_since says since when.
CREATE INDEX attempts_turned_away ON attempts (provider, doubt_since) WHERE state = 'waiting' AND doubt_since IS NOT NULL;

ALTER TABLE videos ADD COLUMN retry_of TEXT;
CREATE INDEX videos_retries ON videos (retry_of) WHERE retry_of IS NOT NULL;
-- Of two retries at once one makes the video, whoever asks.
CREATE UNIQUE INDEX videos_one_retry ON videos (retry_of) WHERE retry_of IS NOT NULL AND state <> 'failed';

-- A provider's job belongs to one attempt. Where a store of before has it twice, the newest attempt keeps it.
UPDATE attempts SET provider_job_id = provider_job_id || '#' || id
WHERE provider_job_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM attempts newer WHERE newer.provider = attempts.provider
    AND newer.provider_job_id = attempts.provider_job_id AND newer.id > attempts.id
);
DROP INDEX attempts_by_job;
CREATE UNIQUE INDEX attempts_one_job ON attempts (provider, provider_job_id) WHERE provider_job_id IS NOT NULL;
