"""HomeDesigns.ai: is polled, takes the picture itself."""
