"""The database: functions in, dataclasses out; the only SQL."""
