"""The numbered SQL files that bring a store up to date."""
