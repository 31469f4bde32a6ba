"""How a tool is offered to a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class ToolSpec(NamedTuple):
    """A tool offered to a model; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]
