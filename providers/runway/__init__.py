"""Runway: polled, told to stop by deleting, and charges what its moderation refuses."""
