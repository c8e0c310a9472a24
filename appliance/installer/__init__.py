"""Putting Homeport on a host as a service of its own user, and taking it off again."""
