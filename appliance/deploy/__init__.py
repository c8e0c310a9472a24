"""The engine: bundle, release, live."""
