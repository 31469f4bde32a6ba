"""API keys from the environment, held so that printing them by accident shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "ollama": (),
    "openai": ("OPENAI_API_KEY",),
}
PROVIDERS: tuple[str, ...] = tuple(KEY_VARIABLES)


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
    for provider, variables in KEY_VARIABLES.items():
        for variable in variables:
            key = env.get(variable, "").strip()
            if key and not _sendable(key):
                problems.append(f"{variable} is ignored: it holds a space, a control or a non-ASCII character")
            elif key:
                found[provider] = key
                break
    return Keys(found, tuple(problems))


def key_name(provider: str) -> str:
    """The environment variable that holds a provider's key."""
    own = f"{provider.upper().replace('-', '_')}_API_KEY"
    return next(iter(KEY_VARIABLES.get(provider, (own,))), "the key")


def _sendable(key: str) -> bool:
    return key.isascii() and key.isprintable() and " " not in key
