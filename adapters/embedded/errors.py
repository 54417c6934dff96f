"""One error tells, in one sentence, why the embedded PostgreSQL cannot run."""


class EmbeddedPostgresError(Exception):
    """Its text is a sentence for the person who started the program."""
