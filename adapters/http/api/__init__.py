"""The integration API: a table of routes under /api/v1."""
