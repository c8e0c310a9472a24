"""Facts and their shapes; no I/O."""
