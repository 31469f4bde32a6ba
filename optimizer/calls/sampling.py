"""What a call sets beyond its prompt: sampling, from the settings for its model, provider and kind of work."""

from __future__ import annotations

from optimizer.config.options import option
from optimizer.settings import Settings
from optimizer.types import Model, Prompt

PARAMETERS: tuple[str, ...] = ("temperature", "top_p")


def sampled(prompt: Prompt, model: Model, kind: str, settings: Settings) -> Prompt:
    """The prompt with the temperature and top_p of the settings, where it has none of its own."""
    wanted = {name: option(settings, name, model.id, model.provider, kind) for name in PARAMETERS}
    new = {name: value for name, value in wanted.items() if value >= 0 and getattr(prompt, name) is None}
    return prompt._replace(**new) if new else prompt


def refused(prompt: Prompt, model: Model) -> tuple[str, ...]:
    """The parameters of a prompt that the model does not take, so that they are not sent."""
    return tuple(name for name in PARAMETERS if getattr(prompt, name) is not None and name not in model.parameters)
