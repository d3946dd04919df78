"""IACrea: calls a webhook, takes the address of a picture."""
