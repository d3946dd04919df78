"""The state machine: what may happen to a video, each step decided purely and applied in one transaction."""
