"""How much one worker may use, of everything there is."""

from dataclasses import dataclass

MEBIBYTE = 2**20
SHARE_OF_TIME = 0.8


@dataclass(slots=True, frozen=True)
class Limits:
    """Per request: time and output. Per worker's life: memory and processor time.

    After `seconds` a worker is killed. It gives up by itself after `own_seconds`, and can say then
    where in the source it was.
    """

    seconds: float = 10.0
    memory_bytes: int = 512 * MEBIBYTE
    output_bytes: int = MEBIBYTE
    source_bytes: int = MEBIBYTE
    template_depth: int = 100

    @property
    def own_seconds(self) -> float:
        return self.seconds * SHARE_OF_TIME

    @property
    def in_vain(self) -> str:
        """What is said of a section that used up the time."""
        return f"does not come to an end within {self.own_seconds:g} seconds"

    @property
    def processor_seconds(self) -> int:
        """After this the kernel ends the worker, also if nobody else is left to do so."""
        return int(6 * self.seconds) + 30
