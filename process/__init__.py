"""What every process needs: settings, logs, stopping, health, metrics, tokens."""
