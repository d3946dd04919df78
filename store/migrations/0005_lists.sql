-- Lists filter by an index.

CREATE INDEX videos_by_provider ON videos (provider, id);
CREATE INDEX videos_by_state_and_provider ON videos (state, provider, id);
