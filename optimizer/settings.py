"""All settings: a row for each, with its default, range, choices and words; no I/O.

Adding a setting is its row here; reading, checking, `config`, the schema and docs/reference/settings.md follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from optimizer.setting import Setting, setting
from optimizer.tiers import TIERS
from optimizer.vendors import NAMES as PROVIDERS

AUTO = "auto"
USUAL_REQUEST, USUAL_ANSWER = 6000, 1500  # tokens of a first request where none are set, and of its answer
DURATION = r"-1|0|[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)"


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Settings:
    """All settings of a run, resolved; it sets its values itself: generated methods would slow each start."""

    def __init__(self, **values: Any) -> None:
        for row in rows():
            object.__setattr__(self, row.name, values.pop(row.name) if row.name in values else row.initial())
        if values:
            raise TypeError(f"no such setting: {', '.join(values)}")

    @property
    def first_request(self) -> int:
        """The tokens of a first request to any model: those that are set, else 6,000; a long answer has its own."""
        if isinstance(self.request_tokens, int):
            return self.request_tokens
        return USUAL_REQUEST + (self.max_tokens - USUAL_ANSWER if self.max_tokens >= USUAL_REQUEST else 0)

    model: str = setting(
        "model", "", "Model to ask, by id; empty lets the router choose.", may_be_empty=True, env="OPTIMIZER_MODEL"
    )
    provider: str = setting(
        "provider",
        "",
        "Provider, or server of your own, to ask; empty lets the router choose.",
        choices=PROVIDERS,
        open_ended=True,
        may_be_empty=True,
        env="OPTIMIZER_PROVIDER",
    )
    tier: str = setting("tier", "", "Only tier to use; empty lets the router choose.", choices=TIERS, may_be_empty=True)
    max_tier: str = setting("max_tier", "premium", "Most expensive tier to use.", choices=TIERS, project="lower")
    profile: str = setting(
        "profile",
        "",
        "Profile to use (docs/guides/profiles.md); auto: by the kind of work; empty: none.",
        may_be_empty=True,
        env="OPTIMIZER_PROFILE",
    )
    local_router: str = setting(
        "local.router",
        "",
        "Small local model that classifies requests; empty: keyword rules do.",
        may_be_empty=True,
        user_only=True,
    )
    local_router_seconds: float = setting(
        "local.router_seconds",
        1.5,
        "Longest time it may take; then keyword rules decide.",
        range=(0.05, 60),
        user_only=True,
    )
    local_coder: str = setting(
        "local.coder", "", "Preferred local model for changes to code.", may_be_empty=True, user_only=True
    )
    keep_alive: str = setting(
        "local.keep_alive",
        "",
        "How long Ollama keeps a model in memory after a call, as 10m, 2h, 0 or -1 (always); empty: it decides.",
        pattern=DURATION,
        form="a time such as 10m, or 0 or -1",
        may_be_empty=True,
        user_only=True,
    )
    unload: bool = setting(
        "local.unload",
        True,
        "Unload models of Ollama on this machine that no run uses, where another would not fit beside them.",
        user_only=True,
    )
    temperature: float = setting(
        "temperature",
        -1.0,
        "Sampling temperature; -1 leaves it to the provider.",
        range=(0, 2),
        special=-1,
        env="OPTIMIZER_TEMPERATURE",
        project="any",
    )
    top_p: float = setting(
        "top_p",
        -1.0,
        "Share of the likeliest tokens to sample from; -1 leaves it to the provider.",
        range=(0, 1),
        special=-1,
        env="OPTIMIZER_TOP_P",
        project="any",
    )
    max_tokens: int = setting(
        "max_tokens",
        USUAL_ANSWER,
        "Answer budget of the first request, in tokens.",
        range=(1, 1_000_000),
        env="OPTIMIZER_MAX_TOKENS",
        project="lower",
    )
    context_size: int = setting(
        "context_size",
        0,
        "Window requested from a local model, in tokens; 0 fits it to the prompt.",
        range=(0, 10_000_000),
        env="OPTIMIZER_CONTEXT_SIZE",
    )
    request_tokens: int | str = setting(
        "request_tokens",
        AUTO,
        "Largest first request, tools and answer budget included; auto: by the model and its price.",
        range=(500, 10_000_000),
        word=AUTO,
        project="lower",
    )
    max_files: int = setting("context.max_files", 12, "Most files in one context.", range=(1, 10_000), project="lower")
    context_reader: str = setting(
        "context.reader",
        "off",
        "Let a model name the files to read (role reader).",
        choices=("off", "model"),
        user_only=True,
    )
    naive_tokens: int = setting(
        "context.naive_tokens",
        38_000,
        "Size of the naive context that is sent when context-optimization is off.",
        range=(500, 10_000_000),
        project="lower",
    )
    max_file_bytes: int = setting(
        "index.max_file_bytes",
        2_000_000,
        "Files larger than this are not indexed.",
        range=(1, 1_000_000_000),
        project="lower",
    )
    parse_seconds: float = setting(
        "index.parse_seconds", 10.0, "Longest time to parse one file.", range=(0.1, 3_600), project="lower"
    )
    workers: int = setting("index.workers", 0, "Processes that parse; 0: one for each core.", range=(0, 256))
    semantic_model: str = setting(
        "semantic.model", "sentence-transformers/all-MiniLM-L6-v2", "Model of semantic-search, by its fastembed name."
    )
    semantic_model_path: str = setting(
        "semantic.model_path",
        "",
        "Directory with the files of that model; empty: the downloaded ones.",
        may_be_empty=True,
        user_only=True,
    )
    connect_seconds: float = setting(
        "network.connect_seconds", 5.0, "Longest wait for a connection.", range=(0.01, 3_600)
    )
    first_token_seconds: float = setting(
        "network.first_token_seconds", 60.0, "Longest wait for the first token of an answer.", range=(0.01, 86_400)
    )
    stall_seconds: float = setting(
        "network.stall_seconds", 30.0, "Longest pause within an answer.", range=(0.01, 86_400)
    )
    answer_seconds: float = setting(
        "network.answer_seconds", 300.0, "Longest time for a whole answer.", range=(0.01, 86_400)
    )
    load_seconds: float = setting(
        "network.load_seconds", 300.0, "Longest wait for a local model to load.", range=(0.01, 86_400)
    )
    proxy: str = setting(
        "network.proxy",
        "none",
        "Proxy for servers that are not on this machine: none, or the one that the environment names (HTTPS_PROXY).",
        choices=("none", "environment"),
        user_only=True,
    )
    answer_bytes: int = setting(
        "network.answer_bytes", 20_000_000, "Largest answer to read, in bytes.", range=(1_000, 1_000_000_000)
    )
    confidence_threshold: float = setting(
        "confidence_threshold", 0.85, "A change whose tests ran is refused below this confidence.", range=(0, 1)
    )
    confidence_yes: float = setting(
        "confidence_yes",
        0.3,
        "Below this confidence --yes asks before a change is written; without a terminal the change is refused.",
        range=(0, 1),
        user_only=True,
    )
    verify_test: str = setting(
        "verify.test",
        "",
        "Command that tests a change, run without asking everywhere; empty: the one found, if allowed; off: none.",
        may_be_empty=True,
        user_only=True,
    )
    verify_lint: str = setting("verify.lint", "", "Linter, likewise.", may_be_empty=True, user_only=True)
    verify_types: str = setting("verify.types", "", "Type checker, likewise.", may_be_empty=True, user_only=True)
    verify_compiler: float = setting(
        "verify.compiler",
        20.0,
        "Longest time that compilers and interpreters of the system read a change, in seconds; 0: they are not used.",
        range=(0, 86_400),
        user_only=True,
    )
    verify_confinement: str = setting(
        "verify.confinement",
        "auto",
        "What confines such commands: bubblewrap, namespaces, Landlock, Seatbelt; auto: the first that works here.",
        choices=("auto", "bwrap", "namespaces", "landlock", "seatbelt"),
        user_only=True,
    )
    verify_readable: tuple[str, ...] = setting(
        "verify.readable", (), "Further folders that such commands may read.", user_only=True
    )
    verify_processes: int = setting(
        "verify.processes", 1000, "Most processes of such a command; 0: no limit.", range=(0, 1_000_000), user_only=True
    )
    verify_memory: float = setting(
        "verify.memory", 0.75, "Most memory of such a command, as a share; 0: no limit.", range=(0, 1), user_only=True
    )
    verify_disk: float = setting(
        "verify.disk", 10.0, "Most that it may write, in gigabytes; 0: no limit.", range=(0, 1_000_000), user_only=True
    )
    verify_seconds: float = setting(
        "verify.seconds", 120.0, "Longest time of one such command.", range=(0.1, 86_400), project="higher"
    )
    budget_run: float = setting(
        "budget.run",
        0.5,
        "Cap of one run, in dollars; -1: no cap, 0: free models only.",
        range=(0, 100_000),
        special=-1,
        user_only=True,
    )
    budget_day: float = setting(
        "budget.day",
        5.0,
        "Cap of one day, in dollars; then only local and free models are asked; -1: no cap.",
        range=(0, 100_000),
        special=-1,
        user_only=True,
    )
    budget_ask: float = setting(
        "budget.ask",
        0.25,
        "A call that may cost more dollars than this asks first; -1: never.",
        range=(0, 100_000),
        special=-1,
        user_only=True,
    )
    budget_unknown: float = setting(
        "budget.unknown_per_million",
        30.0,
        "Dollars for a million tokens that a model of unknown price counts against the caps.",
        range=(0, 100_000),
        user_only=True,
    )
    limit_wait: float = setting(
        "limits.wait_seconds",
        20.0,
        "Longest wait for a rate limit before the next model is asked.",
        range=(0, 3_600),
        project="higher",
    )
    discovery_seconds: float = setting(
        "models.cache_seconds",
        30.0,
        "How long the list of models of a local server is cached; 0: not at all.",
        range=(0, 86_400),
    )
    memory_gib: float = setting(
        "models.memory_gib",
        0.0,
        "Memory in GiB for the local models of all runs together; 0: what this machine has, less a share.",
        range=(0, 100_000),
        user_only=True,
    )
    connections: int = setting("network.connections", 4, "Most connections to one endpoint at a time.", range=(1, 100))
    agent_steps: int = setting(
        "agent.steps",
        6,
        "Rounds of tool calls in one attempt; 0: no tools to look around.",
        range=(0, 100),
        project="lower",
    )
    agent_tokens: int = setting(
        "agent.tokens",
        60_000,
        "Most tokens, in and out, of all calls in one attempt.",
        range=(1_000, 10_000_000),
        project="lower",
    )
    agent_dollars: float = setting(
        "agent.dollars", 0.25, "Dollars after which an attempt ends; 0: no limit.", range=(0, 100_000), user_only=True
    )
    agent_seconds: float = setting("agent.seconds", 300.0, "Seconds after which an attempt ends.", range=(1, 86_400))
    agent_result_tokens: int = setting(
        "agent.result_tokens",
        1200,
        "Longest result of one tool call, in tokens.",
        range=(100, 100_000),
        project="lower",
    )
    agent_repair: bool = setting(
        "agent.repair", True, "Ask a model once to correct edits that do not fit, before escalating."
    )
    agent_review: bool = setting(
        "agent.review", False, "Let another model review a change before it is offered (role critic)."
    )
    agent_summarise: bool = setting(
        "agent.summarise",
        False,
        "Summarise piped input that is too long for a prompt (role summariser).",
        project="off",
    )
    notes_tokens: int = setting(
        "notes.tokens",
        600,
        "Most tokens of AGENTS.md (or CLAUDE.md) in a request; 0 leaves it out.",
        range=(0, 100_000),
        project="lower",
    )
    journal_bytes: int = setting(
        "journal.max_bytes",
        200_000_000,
        "Most bytes of the journals of all repositories; the oldest entries are deleted first.",
        range=(0, 1_000_000_000_000),
        user_only=True,
    )
    journal_days: int = setting(
        "journal.max_days", 90, "Days that journal entries are kept; the newest is.", range=(1, 36_500), user_only=True
    )
    helper_idle: float = setting(
        "helper.idle_seconds", 600.0, "Idle seconds after which the helper ends.", range=(1, 86_400), user_only=True
    )
    secrets_found: str = setting(
        "secrets.found",
        "block",
        "What becomes of a request with what looks like a secret: block (nothing is sent), or redact (a placeholder is "
        "sent, and put back in the answer).",
        choices=("block", "redact"),
        user_only=True,
    )
    secrets_allow: str = setting(
        "secrets.allow",
        "",
        "Findings that may be sent: the first 16 or more digits of their SHA-256, which a refusal names, separated by "
        "commas.",
        form="16 to 64 hexadecimal digits, or several such with commas between them",
        pattern=r"[0-9a-fA-F]{16,64}(?:[,\s]+[0-9a-fA-F]{16,64})*",
        may_be_empty=True,
        user_only=True,
    )
    transcripts_keep: bool = setting(
        "transcripts.keep", True, "Keep the prompts and answers of each request, with secrets masked.", user_only=True
    )
    transcripts_bytes: int = setting(
        "transcripts.max_bytes",
        50_000_000,
        "Most bytes of all transcripts; the oldest are deleted first.",
        range=(0, 1_000_000_000_000),
        user_only=True,
    )
    transcripts_days: int = setting(
        "transcripts.max_days", 30, "Days after which a transcript is deleted.", range=(1, 36_500), user_only=True
    )
    keywords: Mapping[str, str] = setting(
        "keywords", {}, "Further words, separated by commas, that mark a request as of a kind of work: see below."
    )
    options: Mapping[str, Any] = setting(
        "options", {}, "Settings for calls of one model, provider or kind of work: see below.", user_only=True
    )
    endpoints: Mapping[str, str] = setting(
        "endpoints", {}, "Base URL by provider name, such as groq or openai.", user_only=True
    )
    features: Mapping[str, bool] = setting(
        "features", {}, "Switches by name; see features.toml for the names and defaults."
    )


@cache
def rows() -> tuple[Setting, ...]:
    """All settings, in order."""
    return tuple(one.metadata["row"]._replace(name=one.name) for one in fields(Settings))
