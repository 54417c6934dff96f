"""A missing server is a skip on a desk and a failure in continuous integration."""


class MissingServer(Exception):
    """The text is one line that says what to install."""
