"""Which errors mean that something outside is wrong, and the sentence for each."""

import psycopg

from adapters.bootstrap import CannotStart
from adapters.crypto.checkpoints import BadCheckpoint
from adapters.crypto.key_ring import BadKeys
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.postgres.connection import sentence
from adapters.postgres.migrations import DatabaseIsNewer
from adapters.postgres.requirements import UnsuitableServer
from adapters.postgres.verification import Broken
from adapters.settings import BadSettings
from application.ports import Unavailable
from domain.model import Refusal

OUTSIDE = (
    psycopg.OperationalError,
    BadCheckpoint,
    BadKeys,
    BadSettings,
    Broken,
    CannotStart,
    DatabaseIsNewer,
    EmbeddedPostgresError,
    Refusal,
    Unavailable,
    UnsuitableServer,
)


def sentence_of(error: BaseException) -> str:
    """The sentence of an error, or of the first one in a group of them."""
    if isinstance(error, BaseExceptionGroup):
        return sentence_of(error.exceptions[0])
    if isinstance(error, psycopg.OperationalError):
        return f"The database cannot be reached: {sentence(error)}"
    return str(error)
