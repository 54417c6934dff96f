"""The pages: another face of the same commands and queries, rendered on the server."""
