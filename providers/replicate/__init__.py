"""Replicate: searched for lost submissions, cancelled by a request, and its outputs live for an hour."""
