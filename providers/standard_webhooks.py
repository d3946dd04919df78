"""The headers of a webhook that is signed by the Standard Webhooks specification, for records to name."""

STANDARD_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
"""The message's id, its time in Unix seconds, and one or more signatures."""
