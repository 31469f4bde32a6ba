"""A bounded memory of what was read or computed: the values used last, up to a total size."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key, each with a size; those not used for longest go when the sizes are more than `most` together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value of a key; None when it is not kept."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, size: int = 1) -> V:
        """Keep a value, unless it is too large by itself, and return it."""
        before = self._values.pop(key, None)
        self.size -= before[1] if before else 0
        if size <= self.most:
            self._values[key] = value, size
            self.size += size
        while self.size > self.most:
            self.size -= self._values.popitem(last=False)[1][1]
        return value
