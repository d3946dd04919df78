-- What the older part of the ledger comes to, and how far the tables that only grow have been pruned.

CREATE TABLE credit_sums (
    provider         TEXT PRIMARY KEY,
    spent            BIGINT NOT NULL,
    refunded         BIGINT NOT NULL,
    unknown          BIGINT NOT NULL,
    counted_seq      BIGINT NOT NULL,         -- up to here entries are counted
    folded_seq       BIGINT NOT NULL,         -- up to here their moves are summed up too:
    sure             BIGINT NOT NULL,         -- by how much the balance surely moved since the oldest report
    perhaps_spent    BIGINT NOT NULL,         -- credits that may have been spent before it
    perhaps_refunded BIGINT NOT NULL
);
CREATE INDEX credits_reported_by_sending ON credits (provider, sent_at) WHERE remaining IS NOT NULL;
CREATE INDEX credits_reported_by_answer ON credits (provider, at) WHERE remaining IS NOT NULL;

CREATE TABLE pruned (
    name  TEXT PRIMARY KEY,
    place BIGINT NOT NULL                     -- the newest row whose body was dropped, or need not be
);
