"""Who may do what: people, keys, sessions, permissions, the record."""
