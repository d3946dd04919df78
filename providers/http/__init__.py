"""The wire: one HTTP client for submissions, checks and pictures."""
