"""The door for background work."""
