"""API keys from the environment, held so that printing them by accident shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimizer.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class Keys:
    """The key of each provider that has one; `problems` names the variables that were left out, and why."""

    by_provider: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[str, ...] = ()

    def of(self, provider: str) -> str:
        """The provider's key, '' if there is none."""
        return self.by_provider.get(provider, "")


def keys_from(env: Mapping[str, str]) -> Keys:
    """All providers' keys from the environment; one that no header could carry is left out and named."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for provider, vendor in VENDORS.items():
        for variable in vendor.keys:
            key = env.get(variable, "").strip()
            if key and not _sendable(key):
                problems.append(f"{variable} is ignored: it holds a space, a control or a non-ASCII character")
            elif key:
                found[provider] = key
                break
    return Keys(found, tuple(problems))


def _sendable(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key
