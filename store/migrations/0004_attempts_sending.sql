-- An index of every lease was written twice for each check, to find those few that died while sending.

DROP INDEX attempts_by_lease;
CREATE INDEX attempts_sending ON attempts (provider) WHERE state = 'sending';
