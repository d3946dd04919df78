"""The only room that speaks HTTP to third parties: one module a provider, and what they share."""
