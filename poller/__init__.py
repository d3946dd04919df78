"""Asks the providers how due attempts are doing, and settles what it learns."""
