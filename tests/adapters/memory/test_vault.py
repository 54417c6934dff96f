"""The vault in memory keeps the promises of every vault."""

from uuid import UUID

import pytest

from adapters.memory.vault import InMemoryVault
from tests.adapters.contracts.vault import VaultContract


class OneVault:
    def __init__(self) -> None:
        self._vault = InMemoryVault()

    def vault(self) -> InMemoryVault:
        return self._vault

    async def erase(self, subject_id: UUID) -> None:
        self._vault.erase(subject_id)


class TestInMemoryVault(VaultContract):
    @pytest.fixture
    def place(self) -> OneVault:
        return OneVault()
