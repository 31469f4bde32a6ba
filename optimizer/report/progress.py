"""What a run does on its way, as lines for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from optimizer.errors import Bound
from optimizer.reasons import CautionCode, NoOpinion
from optimizer.report import reasons
from optimizer.report.figures import cap_left, count, dollars, duration, money, together
from optimizer.report.memory import GIB
from optimizer.types import Attempt, LeftOut

KEYWORD_RULES = "using keyword rules"
Unusable = Literal["cut", "repeating", "called", "unchanged", "no-edit"]
"""What is wrong with an answer: it was cut or stopped, calls a tool that cannot be served, edits nothing."""
NoSummary = Literal["no-space", "no-model", "no-text"]
"""Why piped input is not summarised: no tokens for a summary, no model to ask, no usable answer."""


# ── before any model is asked ────────────────────────────────────────────────────────────────────


def request_cut() -> str:
    """The request is too long for its share of the prompt."""
    return "the request is longer than its share of the prompt; its middle is left out"


def input_cut(summarises: bool) -> str:
    """The piped input is too long for its share; with `summarises`, a real run summarises it."""
    then = (
        "a run summarises it first"
        if summarises
        else "of its middle only lines that report a failure are kept (--summarise)"
    )
    return f"the piped input is longer than its share of the prompt; {then}"


def few_commits(commits: int) -> str:
    """A shallow clone, of which earlier commits could have said more."""
    return f"this clone is shallow ({count(commits, 'commit')}), so files are found less well: git fetch --unshallow"


def many_files(folder: str, most: int) -> str:
    """A folder outside git with more files than are indexed without a question."""
    return f"{folder} is not a git repository and has more than {most:,} files"


def walked(folder: str, refusal: str) -> str:
    """The files of a repository are found without git."""
    why = {
        "missing": "git was not found",
        "stalled": "git waits for a file that is none (a pipe?) and was stopped",
        "failed": "git cannot read the repository (git status says why)",
    }[refusal]
    return f"{folder}: {why}; files are found without it, and none that its rules ignore is read"


def others(folder: str, above: bool = False) -> str:
    """A project that belongs to another user, as git judges it."""
    effect = (
        "its repository does not count, and what it ignores is not read"
        if above
        else "its .optimizer.toml and AGENTS.md are not followed, and what it ignores is not read"
    )
    import shlex

    cure = f"git config --global --add safe.directory {shlex.quote(folder)}"
    return f"{folder} belongs to another user: {effect}; if you trust it: {cure}"


def another_users(path: str) -> str:
    """A project's configuration that another user has put there."""
    return f"{path} belongs to another user and is ignored"


def project_notes(path: str, tokens: int, whole: bool) -> str:
    """The repository's notes that go into the prompt."""
    rest = "" if whole else ", the rest is left out"
    return f"project notes: {path}, {tokens:,} tokens{rest} (notes.tokens)"


def not_named(subject: str) -> str:
    """A word that the index does not know as a name."""
    return f"nothing here is named {subject!r}; treating this as a request"


def to_the_cloud(missing: LeftOut, provider: str) -> str:
    """No local model can be asked, so the request leaves the machine."""
    name = f"{missing.model}: " if missing.model else ""
    return f"no local model is asked ({name}{reasons.why(missing)}); this goes to the cloud: {provider}"


def images(certain: bool) -> str:
    """Images go, or may go, to the cloud."""
    go = "go" if certain else "may go"
    return f"images {go} to the cloud as they are, metadata included; what they show cannot be scanned for secrets"


def no_images() -> str:
    """No model that takes images can be asked."""
    return "only models that take images can be asked: optimize models list shows which they are"


# ── the model that sorts requests ────────────────────────────────────────────────────────────────


def no_router() -> str:
    """There is no server for the model of `local.router`."""
    return f"local.router is not asked: Ollama is not on this machine; {KEYWORD_RULES}"


def no_opinion(model: str, missing: NoOpinion) -> str:
    """The model of `local.router` gave no usable answer."""
    why = {
        "failed": missing.failure,
        "no_memory": f"not asked, not enough memory next to {together(missing.others)}",
        "no_kind": "it named no kind of work",
        "late": f"no answer in {missing.seconds:g} s",
    }[missing.code]
    return f"{model} (local.router): {why}; {KEYWORD_RULES}"


# ── one call ─────────────────────────────────────────────────────────────────────────────────────


def unconfirmed(cost: int) -> str:
    """An expensive call that was not confirmed."""
    return (
        f"not asked: one call may cost {dollars(cost)}, which was not confirmed "
        "(--yes confirms it, or: optimize budget set ask off)"
    )


def over_cap(name: str, cap: int, used: int, charge: int) -> str:
    """A call that would break a cap."""
    return (
        f"not asked: {cap_left(name, cap, used)}, this may cost {dollars(charge)} (optimize budget set {name} AMOUNT)"
    )


def cap_warning(name: str, share: float, spent: int, cap: int) -> str:
    """A cap of which most is spent."""
    return f"{share:.0%} of the cap of a {name} is spent: {dollars(spent)} of {dollars(cap)}"


def unloaded(model: str, others: Sequence[str]) -> str:
    """Models that were taken out of a server's memory."""
    return f"unloaded {together(others)}: {model} does not fit beside"


def not_sent(model: str, parameters: Sequence[str]) -> str:
    """Settings that a model does not take."""
    return f"{model} takes no {' and no '.join(parameters)}: not sent"


def shorter_answer(model: str, tokens: int) -> str:
    """A quota leaves less than the answer budget."""
    return f"{model}: its limits leave {tokens:,} tokens for the answer"


def waiting(model: str, seconds: float, why: str) -> str:
    """A call waits for a limit."""
    return f"{model}: waiting {duration(seconds)}: {why}"


def waiting_for_memory(model: str, needs: int, total: int, others: str) -> str:
    """A call waits until another run releases memory."""
    size = f"{needs / GIB:.1f} of {total / GIB:.1f} GiB"
    return f"{model} needs {size} of memory: waiting until another run is done with {others}"


def no_memory(others: str, seconds: float) -> str:
    """Another run did not release its memory in time."""
    return f"not asked: not enough memory next to {others} within {seconds:g} s"


def asking_again(model: str, why: str) -> str:
    """A limit or an overload that passes soon."""
    return f"{model}: {why}; asking again"


def healthy_again(model: str, failures: int) -> str:
    """A model answers after it failed."""
    return f"{model} answers again, after {failures} failures"


# ── after an answer ──────────────────────────────────────────────────────────────────────────────


_CAUTIONS: Mapping[CautionCode, str] = {
    "calculation": "verify important calculations",
    "code": "the code in this answer was not run: review it before use",
    "legal": "this is no legal advice: have a lawyer check it before you act on it",
    "medical": "this is no medical advice: ask a doctor or pharmacist before you act on it",
    "tax": "this is no tax advice: have a tax adviser or the authority confirm it before you act on it",
    "unproven": "no test speaks for this change: review it before use",
}


def caution(code: CautionCode) -> str:
    """What a person should know before they rely on an answer."""
    return _CAUTIONS[code]


# ── attempts ─────────────────────────────────────────────────────────────────────────────────────


def starting(attempt: Attempt) -> str:
    """Which model is asked next, where, and why."""
    model = attempt.model
    return f"asking {model.id} ({reasons.where(model)}, {model.tier}): {reasons.attempt(attempt)}"


def going_on(model: str, why: str, failed_checks: Sequence[str], following: str) -> str:
    """Why an attempt failed and which model is next ('': none); '' where the verdict shows all of it."""
    reason = f"its answer failed on {', '.join(failed_checks)}" if failed_checks else why
    if following:
        return f"{model}: {reason}; going on to {following}"
    return "" if failed_checks else f"{model}: {reason}"


def refused(model: str, why: str) -> str:
    """An answer that cannot be used, which its model may correct."""
    return f"{model}: {why}\nasking again, with what was wrong"


def less_context(model: str, why: str) -> str:
    """A prompt that was too long."""
    return f"{model}: {why}; asking again with less context"


def no_tools(model: str, why: str) -> str:
    """A server that refused the tools of a request."""
    return f"{model}: {why}; asking again without its tools"


def higher_rate(model: str, tokens: int) -> str:
    """Code is left out, so that the prompt stays below a step of the price."""
    return f"{model}: {tokens:,} tokens of code less, as all of the prompt would be charged at a higher rate"


def taking_over(model: str) -> str:
    """A model continues the conversation of another one."""
    return f"{model} continues with what was looked at so far"


def next_step(capped: bool, unanswered: bool) -> str:
    """What to do after all attempts failed."""
    if capped:
        return "optimize budget, or name a stronger free model with --model"
    if unanswered:
        return "optimize models, or name one with --model"
    return "name a stronger model with --model, or ask for less"


# ── roles ────────────────────────────────────────────────────────────────────────────────────────


def plan(by: str, text: str) -> str:
    """The plan that was made, if one was."""
    return f"plan of {by}:\n{text}" if text else "there is no plan; going on without one"


def no_review(why: str, hint: str = "") -> str:
    """A change that is not reviewed."""
    return f"no review: {why}" + (f"; try: {hint}" if hint else "")


def review_cut() -> str:
    """A change of which only the ends are reviewed."""
    return "the change is longer than one review holds (request_tokens): its middle is not reviewed"


def input_masked() -> str:
    """Secrets in the piped input are masked before it is summarised."""
    return "what looks like a secret in the piped input is masked"


def redacted(model: str, count: int) -> str:
    """Secrets are replaced before a prompt is sent."""
    what = "what looks like a secret" if count == 1 else f"{count} texts that look like secrets"
    return f"{what}: {model} gets {'a placeholder' if count == 1 else 'placeholders'} instead"


def summarising(lines: int, tokens: int, space: int, parts: int, left_out: tuple[int, int] | None) -> str:
    """What is about to be summarised."""
    rest = f", and lines {left_out[0]:,} to {left_out[1]:,} are left out" if left_out else ""
    return (
        f"piped in: {lines:,} lines of {tokens:,} tokens, and room for {space:,}; "
        f"{parts} part{'' if parts == 1 else 's'} to summarise{rest}"
    )


def no_summary(code: NoSummary) -> str:
    """Piped input whose middle is left out after all."""
    why = {
        "no-space": "request_tokens leaves no room for a summary",
        "no-model": "no local or free model can be asked, and the role summariser names no other",
        "no-text": "there is no summary",
    }[code]
    return f"the middle of the piped input is left out: {why}"


def summary(text: str) -> str:
    """What the model is sent in place of the middle."""
    return f"in place of the middle of the piped input, the model is sent:\n{text}"


def read(by: str, paths: Sequence[str], cost: int | None) -> str:
    """Which files the reader named, and what it cost."""
    if not by:
        return "no reader names files to read: the ranking alone decides"
    return f"{by} names {', '.join(paths) or 'no file of the list'} ({dollars(cost)})"


def will_read(calls: int, model: str, tokens: int, cost: int | None) -> str:
    """What measuring a reader asks: so many calls of at most so many tokens each."""
    return f"{count(calls, 'call')} of {model} with up to {tokens:,} tokens each, about {money(cost)} in all"


def would_read() -> str:
    """A real run has a model name the files to read."""
    return "a run first lets a model name the files to read (context.reader)"


# ── bounds and searching ─────────────────────────────────────────────────────────────────────────


def unusable(why: Unusable) -> str:
    """What is wrong with an answer; the model that is asked again reads it too."""
    return {
        "cut": "the answer was cut at its token limit; answer shorter",
        "repeating": "the answer repeats itself and was stopped",
        "called": "it calls tools, and no more calls can be made: answer in words",
        "unchanged": "the edits change nothing",
        "no-edit": "the answer holds no edit",
    }[why]


def stopped(bound: Bound, steps: int, limit: float) -> str:
    """A conversation that reached a bound of an attempt after so many steps; `limit` is that bound."""
    if bound == "steps":
        return f"stopped: it asked for more after all of its {limit} steps (agent.steps)"
    why = {
        "tokens": f"the next would go over the {limit:,} tokens of one attempt (agent.tokens)",
        "cost": f"{dollars(int(limit))} are spent (agent.dollars)",
        "seconds": f"{limit:g} s are over (agent.seconds)",
        "window": f"the next would not fit into the {limit:,} tokens of its window",
    }[bound]
    return f"stopped after {steps} steps: {why}"


def repeats(tool: str) -> str:
    """A conversation in which the same call came too often."""
    return f"stopped: it made the same call of {tool} three times"


def words_alone(missing: Literal["extra", "vectors"], install: str) -> str:
    """Semantic search is on, but cannot be used; `install` says how to install its extra."""
    why = {
        "extra": f"its extra is not installed; {install}",
        "vectors": "nothing is embedded yet; optimize index --embed",
    }[missing]
    return f"semantic-search is on, but words alone decide: {why}"
