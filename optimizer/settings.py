"""Every knob with its default and one line of documentation; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any


def knob(key: str, default: Any, doc: str, *, user_only: bool = False) -> Any:
    """Declare a setting: its dotted key in a config file, default, doc; `user_only` ones no project file may set."""
    metadata = {"key": key, "doc": doc, "user_only": user_only}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run, resolved."""

    model: str = knob("model", "", "Model to ask, by id; empty lets the router choose.")
    provider: str = knob("provider", "", "Provider to ask, or a server of your own; empty lets the router choose.")
    tier: str = knob("tier", "", "The one tier to use; empty lets the router choose.")
    max_tier: str = knob("max_tier", "premium", "The dearest tier that may be used.")
    profile: str = knob(
        "profile", "", "Profile to work with (docs/guides/profiles.md); auto: by the kind of work; empty: none."
    )
    local_router: str = knob(
        "local.router", "", "Small local model that tells kinds of work apart; empty: words do.", user_only=True
    )
    local_router_seconds: float = knob(
        "local.router_seconds", 1.5, "Longest time that it may take; then words do.", user_only=True
    )
    local_coder: str = knob("local.coder", "", "Local model that is preferred for changes to code.", user_only=True)
    temperature: float = knob("temperature", -1.0, "Sampling temperature; -1 leaves it to the provider.")
    max_tokens: int = knob("max_tokens", 1500, "Answer budget of the first request, in tokens.")
    context_size: int = knob("context_size", 0, "Window asked of a local model, in tokens; 0 fits it to the prompt.")
    request_tokens: int = knob(
        "request_tokens", 6000, "Upper bound of the first request, tools and answer budget included."
    )
    max_files: int = knob("context.max_files", 12, "Most files that one context may draw from.")
    naive_tokens: int = knob(
        "context.naive_tokens", 38000, "Size of the naive context sent when context-optimization is off."
    )
    max_file_bytes: int = knob("index.max_file_bytes", 2_000_000, "Files larger than this are not indexed.")
    parse_seconds: float = knob("index.parse_seconds", 10.0, "Longest time one file may take to parse.")
    workers: int = knob("index.workers", 0, "Processes that parse; 0 takes one per core.")
    semantic_model: str = knob(
        "semantic.model", "sentence-transformers/all-MiniLM-L6-v2", "Model of semantic-search, as fastembed names it."
    )
    semantic_model_path: str = knob(
        "semantic.model_path", "", "Directory of that model's files; empty takes the fetched ones.", user_only=True
    )
    connect_seconds: float = knob("network.connect_seconds", 5.0, "Longest wait for a connection.")
    first_token_seconds: float = knob(
        "network.first_token_seconds", 60.0, "Longest wait for the first piece of an answer."
    )
    stall_seconds: float = knob("network.stall_seconds", 30.0, "Longest silence within an answer.")
    answer_seconds: float = knob("network.answer_seconds", 300.0, "Longest time for a whole answer.")
    load_seconds: float = knob("network.load_seconds", 300.0, "Longest wait for a local model to load.")
    answer_bytes: int = knob("network.answer_bytes", 20_000_000, "Largest answer that is read.")
    confidence_threshold: float = knob(
        "confidence_threshold", 0.85, "Confidence below which a change is refused, once its tests have run."
    )
    verify_test: str = knob(
        "verify.test",
        "",
        "Command that tests a change, run in every repository without asking; empty: the one found, once you allow it; "
        "off: none.",
        user_only=True,
    )
    verify_lint: str = knob("verify.lint", "", "Linter, in the same way.", user_only=True)
    verify_types: str = knob("verify.types", "", "Type checker, in the same way.", user_only=True)
    verify_seconds: float = knob("verify.seconds", 120.0, "Longest time one such command may take.")
    budget_run: float = knob(
        "budget.run", 0.5, "Most dollars that one run may cost; -1 is no cap, 0 asks free models only.", user_only=True
    )
    budget_day: float = knob(
        "budget.day",
        5.0,
        "Most dollars that one day may cost; then only local and free models are asked.",
        user_only=True,
    )
    budget_ask: float = knob(
        "budget.ask", 0.25, "Dollars above which a single call is asked about first; -1 never asks.", user_only=True
    )
    budget_unknown: float = knob(
        "budget.unknown_per_million",
        30.0,
        "Dollars a million tokens at which a model without a known price counts against the caps.",
        user_only=True,
    )
    limit_wait: float = knob(
        "limits.wait_seconds", 20.0, "Longest wait for a rate limit before the next model is asked."
    )
    discovery_seconds: float = knob(
        "models.cache_seconds", 30.0, "For how long what a local server said it holds is taken as it was; 0 asks anew."
    )
    memory_gib: float = knob(
        "models.memory_gib",
        0.0,
        "Memory in GiB that the local models of all runs may take together; 0: what this machine has, less a share.",
        user_only=True,
    )
    connections: int = knob("network.connections", 4, "Most connections to one endpoint at a time.")
    agent_steps: int = knob(
        "agent.steps", 6, "Answers with tool calls that a model may give in one attempt; 0 offers it no such tools."
    )
    agent_tokens: int = knob("agent.tokens", 60_000, "Most tokens, in and out, of all calls in one attempt.")
    agent_dollars: float = knob(
        "agent.dollars", 0.25, "Dollars after which one attempt is asked no further; 0 is no limit.", user_only=True
    )
    agent_seconds: float = knob("agent.seconds", 300.0, "Seconds after which one attempt is asked no further.")
    agent_result_tokens: int = knob("agent.result_tokens", 1200, "Most tokens of what one tool call returns.")
    agent_repair: bool = knob(
        "agent.repair", True, "Tell a model once what was wrong with edits that do not fit, before another is asked."
    )
    agent_review: bool = knob(
        "agent.review", False, "Let another model say what is wrong with a change before it is offered (role critic)."
    )
    agent_summarise: bool = knob(
        "agent.summarise",
        False,
        "Have what is piped in and too long for a prompt put in few words first (role summariser).",
    )
    notes_tokens: int = knob(
        "notes.tokens", 600, "Most tokens of AGENTS.md (or CLAUDE.md) in a request; 0 leaves it out."
    )
    journal_bytes: int = knob(
        "journal.max_bytes",
        200_000_000,
        "Most that the journal of all repositories may take; the oldest entries go first.",
        user_only=True,
    )
    journal_days: int = knob(
        "journal.max_days", 90, "Days after which a journal entry goes; the newest stays.", user_only=True
    )
    transcripts_keep: bool = knob(
        "transcripts.keep", True, "Keep the prompts and answers of each request, with secrets masked.", user_only=True
    )
    transcripts_bytes: int = knob(
        "transcripts.max_bytes",
        50_000_000,
        "Most bytes that all transcripts may take; the oldest are deleted first.",
        user_only=True,
    )
    transcripts_days: int = knob(
        "transcripts.max_days", 30, "Days after which a transcript is deleted.", user_only=True
    )
    endpoints: Mapping[str, str] = knob(
        "endpoints", {}, "Base URL by provider name (anthropic, gemini, groq, ollama, openai).", user_only=True
    )
    features: Mapping[str, bool] = knob(
        "features", {}, "Switches by name; see features.toml for the names and defaults."
    )


def knobs() -> tuple[Field[Any], ...]:
    """All declared settings, in order; each field's metadata holds `key`, `doc` and `user_only`."""
    return fields(Settings)
