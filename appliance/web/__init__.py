"""Glue shared by the doors: middleware, errors, pages, server-sent events."""
