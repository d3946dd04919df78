-- Which providers living generators and pollers have credentials for; others need none of them to know it.

CREATE TABLE announcements (
    role         TEXT NOT NULL CHECK (role IN ('generator', 'poller')),
    provider     TEXT NOT NULL,              -- empty: the process lives, whatever it has
    announced_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (role, provider)
);
