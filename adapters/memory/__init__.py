"""Ports kept in memory: they make the same promises, for as long as a test lasts."""
