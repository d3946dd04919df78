"""Hears callers and providers: the job API, the webhooks, the pictures, the console."""
