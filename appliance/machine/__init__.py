"""The host: processes, archives, files, outgoing HTTP, the clock."""
