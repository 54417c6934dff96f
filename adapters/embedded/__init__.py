"""A real PostgreSQL runs as our child process, so that one machine needs nothing installed."""
