"""Installs clusters over SSH: scripts that run once, whatever becomes of the connection."""
