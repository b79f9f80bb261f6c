"""A store in memory: for tests and trials in one process. It passes the same suite as the others."""

from gatepass.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
