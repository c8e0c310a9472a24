"""People: who they are here, how they come, and how they go."""
