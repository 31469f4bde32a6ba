"""Sentences for the reasons of a decision; nothing reads them back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from optimizer import reasons as r
from optimizer import vendors
from optimizer.report.figures import amount, cap_left, duration, money
from optimizer.types import Attempt, LeftOut, Model, Route, Task

UNLOCK = "run it in a terminal, or set OPTIMIZER_PASSPHRASE_FILE"
_PERIODS = {60: "minute", 86_400: "day"}
_PLAIN: dict[r.Why, str] = {
    r.Why.LOCKED: "its stored key needs the passphrase",
    r.Why.LOCAL_OFF: "the feature local-models is off",
    r.Why.BLIND: "it is not known to see images: write vision = true for it into models.toml if it does",
    r.Why.PROBING: "it failed, and another run is trying it",
    r.Why.OTHERS_FIRST: "other runs are first",
    r.Why.ONE_MODEL: "only one model is asked",
    r.Why.ROUTING_OFF: "routing is off: only the best tier is asked",
}
_SIGNS: dict[r.SignCode, str] = {
    "own_word": "it says {word!r} (one of your keywords)",
    "opinion": "{model} takes it for {word}",
    "rated": "it says how hard it is",
    "greeting": "it is no more than {word!r}",
    "foreign_word": "it says {word!r} ({language})",
    "foreign_start": "it begins with {word!r}",
    "begins_with": "it begins with {word!r}",
    "asks_to": "it asks to {word!r}",
    "calculation": "it asks to reckon",
    "vectors": "it asks for vectors",
    "invention": "it asks for something invented",
    "design_question": "it asks how something should be built",
    "failure_question": "it asks about a failure",
    "place_question": "it asks for a place",
    "fact_question": "it asks for a well-known fact",
    "question": "it is a question",
    "failure": "it reports a failure",
    "error_message": "it holds an error message",
    "tests": "it mentions tests",
    "task": "it reads like something to be done",
    "no_keyword": "no keyword matches",
    "hard_subject": "a hard subject ({word!r})",
    "wide_reach": "a wide reach ({word!r})",
    "several_steps": "several steps ({word!r})",
    "small_change": "a small change ({word!r})",
    "files_in_view": "{amount} files in view",
    "long_prompt": "a prompt of {amount:,} tokens",
    "long_request": "a long request",
    "tools": "a model that calls tools suits it",
    "images": "{amount} images go with it",
    "image_missing": "it mentions an image, and none is sent: --image FILE",
    "soon": "it is to be answered soon",
}


def why(left: LeftOut) -> str:
    """Why a model, or all models of a provider, are left out."""
    if left.reason is r.Why.CONSENT:
        return f"no consent to send this repository's code to {left.provider}"
    if left.reason is r.Why.TIER_SKIPPED:
        return f"its tier {left.tier} is not asked"
    if isinstance(left.reason, r.AboveTier):
        return f"its tier {left.tier} is above {left.reason.most}"
    if isinstance(left.reason, r.NoAnswer) and (site := vendors.of(left.provider).site):
        return f"{left.reason.server} ({site}) does not answer at {left.reason.host}"
    if isinstance(left.reason, r.ImageRefused):
        return _image_refused(left.reason, left.provider)
    return reason(left.reason)


def reason(one: r.Reason | None) -> str:
    """A reason that says enough without the model's name; '' for none."""
    match one:
        case None:
            return ""
        case r.Why():
            return _PLAIN[one]
        case r.Unfit(text) | r.ServerFailed(text, _):
            return text
        case r.Resting(until, failure):
            return f"it rests until {clock(until)} ({failure})"
        case r.Shortage():
            return _shortage(one)
        case r.Cap():
            return _cap(one)
        case r.Hopeless(accepted, tries):
            return f"accepted {accepted} of {tries} times on such tasks here: starting above it"
        case r.NoSaving(cost, saves):
            return f"trying it first costs {amount(int(cost))} and saves {amount(saves)} on average"
        case r.Behind():
            return _behind(one)
        case r.Window(has, needs):
            return f"its window of {has:,} tokens cannot hold {needs:,}"
        case r.NoKey() | r.NoAnswer() | r.HoldsNothing() | r.NotHeld():
            return _missing(one)
        case r.AskedModel() | r.AskedProvider() | r.AskedTier() | r.OtherTier():
            return _asked(one)
        case r.Lacks() | r.Narrow() | r.KeptLocal():
            return _required(one)
        case _:
            raise ValueError(f"{one!r} needs the model's name: ask why()")


def hint(left: LeftOut, name: str = "") -> str:
    """What to do about it, with `name` in place of the model's own; '' where nothing is to be done."""
    model = name or left.model
    match left.reason:
        case r.Why.CONSENT:
            return f"optimize consent grant {left.provider}"
        case r.Why.LOCKED:
            return UNLOCK
        case r.Why.LOCAL_OFF:
            return "set local-models = true in [features]"
        case r.Why.BLIND | r.Unfit():
            return "optimize models list"
        case r.Why.PROBING | r.Resting():
            return f"--model {model} asks it anyway"
        case r.Cap(cap):
            return f"optimize budget set {cap} AMOUNT"
        case r.NoKey(_, page):
            return f"optimize keys set {left.provider}" + (f"  # {page}" if page else "")
        case r.OtherTier():
            return "leave out --tier"
        case r.NoAnswer(_, _, pull):
            start = vendors.of(left.provider).start
            return (
                f"run {start}, then: optimize models pull {pull}"
                if pull
                else f"start it, or check the address of {left.provider}"
            )
        case r.ServerFailed(_, hint_):
            return hint_
        case r.HoldsNothing(_, _, pull):
            return f"optimize models pull {pull}" if pull else "load a model there"
        case r.NotHeld(_, pulls):
            return f"optimize models pull {model}" if pulls else "optimize models list"
        case r.AskedModel(_, pinned):
            return "optimize models unpin" if pinned else ""
        case r.AboveTier():
            return f"--max-tier {left.tier}"
        case r.ImageRefused():
            return "send a smaller image, or another kind"
        case r.Window():
            return "ask about less, or lower max_tokens"
        case r.Lacks(by) | r.Narrow(by) | r.KeptLocal(by):
            return f"optimize profile show {by.name}" if by.kind == "profile" else ""
        case _:
            return ""


def distance(left: LeftOut) -> int:
    """How far away the cure of a reason is: a yes, a download, a program to start, a free key, one that costs."""
    match left.reason:
        case r.Why.CONSENT | r.Resting() | r.Why.PROBING:
            return 0
        case r.HoldsNothing() | r.NotHeld():
            return 1
        case r.NoAnswer() | r.ServerFailed():
            return 2
        case r.Cap():
            return 4
        case r.NoKey(_, page):
            return 3 if page.startswith("free") else 4
    return 1


def attempt(one: Attempt) -> str:
    """Why a model is asked, and what it is expected to cost."""
    if isinstance(one.reason, r.Reserve):
        loaded = "as it is loaded already; " if one.reason.loaded else ""
        return f"in reserve, {loaded}{_behind(one.reason.behind)}"
    return ", ".join((*_picked(one, one.reason), *([text] if one.size and (text := size(one.size)) else [])))


def size(one: r.Size) -> str:
    """How large a request may be, and why; '' where that is as set, or nothing is left to be sent."""
    most = f"a request of up to {one.tokens:,} tokens"
    match one.why:
        case "worth":
            return f"{most}, of which the code beyond the usual costs {amount(one.price)}"
        case "failed":
            return f"{most}, since an answer failed"
        case "price":
            return f"{most}, since more would cost {amount(one.price)}"
        case "window":
            return f"{most}, as its window is small"
        case "unpriced":
            return f"{most}, as its price is unknown"
        case "local" | "free":
            return f"{most}, as for every {one.why} model"
        case _:
            return ""


def route(task: Task, one: Route) -> str:
    """What a route follows, in a line."""
    plan, what = one.plan, f"{task.kind}, difficulty {task.difficulty:g}"
    tiers = [attempt.model.tier for attempt in one.attempts if not attempt.standby]
    if not tiers:
        tried = "no model may be asked"
    elif plan.only:
        tried = f"only {plan.only}, as you {'pinned for this project' if plan.pinned else 'asked'}"
    elif not plan.routing:
        tried = f"one attempt in {tiers[0]}, routing is off"
    else:
        tried = f"{tiers[0]} only" if len(tiers) == 1 else f"{' -> '.join(tiers)}, escalating on a failed check"
    return ", ".join(filter(None, (f"{what}: {tried}", profile(plan))))


def sign(one: r.Sign) -> str:
    """What a request's kind, difficulty or needs are read from."""
    if one.code == "images" and one.amount == 1:
        return "an image goes with it"
    return _SIGNS[one.code].format(**one._asdict())


def profile(plan: r.Plan) -> str:
    """The profile in use, and why it is that one; '' for none."""
    line = ""
    if plan.profile:
        other = f" (no model fits {title(plan.instead_of)})" if plan.instead_of else ""
        line = f"{title(plan.profile)}{other}"
    return ", ".join(filter(None, (line, "chosen for this kind of work" if plan.by_kind else "")))


def where(model: Model) -> str:
    """Where a model runs: on this machine (in Ollama where no server is named), or in which cloud."""
    if not model.local:
        return f"cloud: {model.provider}"
    return "on this machine" if vendors.of(model.provider).manages_models else f"on this machine: {model.provider}"


def licence(model: Model) -> str:
    """The class of a model's licence, and whether what it is sent may be used to train models."""
    word = model.licence
    open_weights = word in ("permissive", "copyleft", "restricted")
    text = f"open weights, {word} licence" if open_weights else word if word == "proprietary" else "licence unknown"
    return f"{text}; may be used for training" if model.trains else text


def title(by: r.By) -> str:
    """The name of what prefers or requires something: `profile code`, `local.coder`."""
    return by.name if by.kind == "setting" else f"{by.kind} {by.name}"


def state(one: r.State) -> str:
    """How a model answered recently."""
    match one:
        case None:
            return "not asked yet"
        case r.Resting(until, failure):
            return f"rests until {clock(until)}: {failure}"
        case r.Failed(times, since, failure):
            how = f"at {clock(since)}" if times == 1 else f"{times:,} times since {clock(since)}"
            return f"failed {how}: {failure}"
        case r.Well(seconds):
            return f"well, {seconds:.1f} s an answer"


def clock(at: float) -> str:
    """A time: hours and minutes, with the day when it is not near."""
    there = datetime.fromtimestamp(at).astimezone()
    near = abs(at - datetime.now().timestamp()) < 12 * 3600
    return there.strftime("%H:%M:%S" if near else "%Y-%m-%d %H:%M")


def _missing(one: r.NoKey | r.NoAnswer | r.HoldsNothing | r.NotHeld) -> str:
    match one:
        case r.NoKey(variable):
            return f"no {variable}"
        case r.NoAnswer(server, host):
            return f"{server} does not answer at {host}"
        case r.HoldsNothing(server, host):
            return f"{server} at {host} holds no model that can answer"
        case r.NotHeld(server):
            return f"{server} does not hold it"


def _asked(one: r.AskedModel | r.AskedProvider | r.AskedTier | r.OtherTier) -> str:
    match one:
        case r.AskedModel(model, pinned):
            return _named(model, pinned)
        case r.AskedProvider(provider):
            return f"you asked for {provider}"
        case r.AskedTier(tier):
            return f"you asked for the tier {tier} only"
        case r.OtherTier(tier):
            return f"only the tier {tier} is wanted"


def _named(model: str, pinned: bool) -> str:
    return f"you pinned {model} for this project" if pinned else f"you asked for {model}"


def _required(one: r.Lacks | r.Narrow | r.KeptLocal) -> str:
    match one:
        case r.Lacks(by, capabilities):
            return f"{title(by)} asks for {', '.join(capabilities)}"
        case r.Narrow(by, has, needs):
            return f"{title(by)} asks for a window of {needs:,} tokens, this has {has:,}"
        case r.KeptLocal(by):
            return f"{title(by)} is kept on this machine"


def _shortage(one: r.Shortage) -> str:
    span = _PERIODS.get(one.period, f"{one.period} s")
    what = "requests" if one.what == "requests" else "tokens"
    if one.resets is None:
        return f"its limit is {one.size:,} {what} a {span}, this needs {one.needs:,}"
    of = f" of {one.size:,}" if one.size else ""
    return f"{one.left:,}{of} {what} a {span} are left, this needs {one.needs:,}; reset at {clock(one.resets)}"


def _cap(one: r.Cap) -> str:
    unknown = "" if one.priced else " at the rate for unknown prices"
    return f"{cap_left(one.cap, one.size, one.used)}, this may cost {money(one.charge)}{unknown}"


def _behind(one: r.Behind) -> str:
    costs = f"{money(one.own)} against {money(one.first)}"
    match one.by:
        case "wait":
            return f"{_note(one.later)}; {one.model} {'sooner' if one.waits else 'at once'}"
        case "unknown price":
            return f"its price is unknown, that of {one.model} is known"
        case "preference":
            return f"{one.model} comes first: {_preferred(one.preferred) or 'it calls tools'}"
        case "price":
            return f"more expensive than {one.model}: {costs}"
        case "accepted cost":
            return f"more expensive than {one.model} for an accepted answer: {costs}"
    better = {"loaded": "loaded already", "order": "preferred", "chance": "more likely to succeed"}[one.by]
    return f"costs the same as {one.model}, which is {better}"


def _picked(one: Attempt, picked: r.Picked) -> Iterator[str]:
    tier = one.model.tier
    if picked.place in ("named", "pinned"):
        yield _named("it", picked.place == "pinned")
    elif picked.place == "only":
        yield f"the only {tier} model"
    else:
        place = "one" if picked.place == "one" else f"the {picked.place}"
        yield f"{place} of {picked.among} {tier} models"
    if one.estimate or tier != "free":
        yield money(one.estimate)
    if picked.tries:
        yield f"accepted {picked.accepted} of {picked.tries} times on such tasks here"
    if picked.asks:
        yield "you are asked first at this price"
    yield from filter(None, (_preferred(picked.preferred), _note(picked.note)))


def _preferred(one: r.Preferred | None) -> str:
    if one is None:
        return ""
    return (
        f"{title(one.by)} prefers it, as it suits {one.suits}" if one.suits else f"{title(one.by)} prefers {one.what}"
    )


def _note(one: r.Note | None) -> str:
    match one:
        case None:
            return ""
        case r.Later(limit, rest):
            soon = "in a moment" if max(limit, rest) < 1 else f"in {duration(max(limit, rest))}"
            return f"can be asked again {soon}" if rest > limit else f"can be asked {soon}, when its limit allows it"
        case r.Trimmed(tokens, step):
            return f"{tokens:,} tokens of code are left out, as above {step:,} all of them cost more"
        case r.HigherRate(step):
            return f"above {step:,} tokens the whole prompt is charged at a higher rate"
        case r.Cached(tokens):
            return f"{tokens:,} tokens are in its prompt cache"


def _image_refused(one: r.ImageRefused, provider: str) -> str:
    if one.image is None:
        return f"{provider} takes {_mb(one.most)} of images a request; these are {_mb(one.size)} as they are sent"
    takes = {
        "kinds": f"only {', '.join(sorted(one.kinds))}",
        "side": f"images of up to {one.most:,} pixels a side",
        "pixels": f"images of up to {one.most / 1e6:.0f} megapixels",
        "bytes": f"images of up to {_mb(one.most)}",
    }[one.limit]
    image = one.image
    kind = image.media_type.removeprefix("image/")
    shown = f"a {kind} of {image.width:,} × {image.height:,} pixels, {_mb(one.size)} as it is sent"
    return f"{provider} takes {takes}; {image.name or 'an image'} is {shown}"


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
