"""Backups: everything in one file, taken while serving, and put back whole or not at all."""
