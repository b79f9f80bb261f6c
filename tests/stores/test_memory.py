"""The memory store keeps every promise of a store."""

import pytest

from gatepass.stores.memory import MemoryStore
from stores.suites import SuitesOfOneHost


class TestMemoryStore(SuitesOfOneHost):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
