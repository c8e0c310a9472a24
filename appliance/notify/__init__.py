"""Telling others what happened: channels, what is said in each, and carrying it there."""
