-- What a provider gave to ask about a job besides its id, and the headers that a webhook's signature needs.

ALTER TABLE attempts ADD COLUMN job_details TEXT;
ALTER TABLE webhooks ADD COLUMN headers TEXT;
