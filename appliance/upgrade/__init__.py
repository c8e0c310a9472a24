"""Going on as another file, in the same process, with nothing dropped; and going back where that one can't."""
