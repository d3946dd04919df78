"""Submits accepted videos to their providers, each at most once that may have cost a credit."""
