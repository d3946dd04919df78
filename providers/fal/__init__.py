"""fal: many models behind one queue; signs its webhooks with Ed25519."""
