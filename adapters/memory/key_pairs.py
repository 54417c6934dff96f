"""Key pairs that open nothing, numbered so that a test knows them."""

from application.ports import KeyPair


class NumberedKeyPairs:
    """ports.KeyPairs."""

    def __init__(self) -> None:
        self._count = 0

    async def generate(self, comment: str) -> KeyPair:
        self._count += 1
        return KeyPair(f"public {self._count} {comment}", f"private {self._count}")
