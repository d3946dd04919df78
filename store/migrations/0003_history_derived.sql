-- The timeline reads from the rows of videos and attempts what they tell anyway; history keeps the rest.

ALTER TABLE attempts ADD COLUMN created_at DOUBLE PRECISION;
UPDATE attempts SET created_at = (
    SELECT MIN(at) FROM history
    WHERE history.video_id = attempts.video_id AND attempt = attempts.number AND what = 'provider chosen'
);
DELETE FROM history WHERE what IN ('accepted', 'provider chosen', 'accepted by the provider', 'succeeded', 'failed');
