"""Stand-ins for providers that were added later: one module for each, found by the provider's name.

Each is an independent reading of its provider's pages. What becomes of the next submission is a story, named before
it comes; `standin.py` has those that all of them know.
"""
