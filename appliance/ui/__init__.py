"""The pages: each file a noun; they read, and act through operations."""
