"""Progress tells a long test's spectator how far it is, twenty times in all."""

import time

TIMES = 20


class Progress:
    """`of` so many of something; say `at(done)` as often as you like."""

    def __init__(self, of: int, what: str) -> None:
        self._of = of
        self._what = what
        self._step = max(1, of // TIMES)
        self._next = self._step
        self._begun = time.monotonic()

    def at(self, done: int, more: object = "") -> None:
        if done < self._next or self._of < TIMES:
            return
        self._next += self._step * ((done - self._next) // self._step + 1)
        seconds = time.monotonic() - self._begun
        print(f"{done:,} of {self._of:,} {self._what} in {seconds:,.0f} s {more}", flush=True)
