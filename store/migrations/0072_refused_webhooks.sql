-- Webhook requests that were refused, for whoever looks for the reason why none arrive: the newest thousand.

CREATE TABLE refused_webhooks (
    id       {sequence},
    at       DOUBLE PRECISION NOT NULL,
    provider TEXT NOT NULL,                  -- as the address named it, shortened
    peer     TEXT NOT NULL,                  -- who sent it
    reason   TEXT NOT NULL
);
