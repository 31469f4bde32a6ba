"""Each reason in words, with the command that helps."""

from __future__ import annotations

import time
import typing

import pytest

from optimizer import reasons as r
from optimizer.images import Image
from optimizer.report import reasons
from optimizer.types import Attempt, LeftOut, Model, Route, Task, Tier

CODE = r.By("profile", "code")
SHOT = Image("image/gif", b"", 1920, 1080, "shot.png")
FAR = time.time() + 90 * 86_400
LEFT: tuple[tuple[r.Reason, str, str], ...] = (
    (r.Why.CONSENT, "no consent to send this repository's code to groq", "optimize consent grant groq"),
    (
        r.Why.LOCKED,
        "its stored key needs the passphrase",
        "run it in a terminal, or set OPTIMIZER_PASSPHRASE_FILE",
    ),
    (r.Why.LOCAL_OFF, "the feature local-models is off", "set local-models = true in [features]"),
    (
        r.Why.BLIND,
        "it is not known to see images: write vision = true for it into models.toml if it does",
        "optimize models list",
    ),
    (r.Why.PROBING, "it failed, and another run is trying it", "--model oss asks it anyway"),
    (r.Why.OTHERS_FIRST, "other runs are first", ""),
    (r.Why.ONE_MODEL, "only one model is asked", ""),
    (r.Why.ROUTING_OFF, "routing is off: only the best tier is asked", ""),
    (r.Why.TIER_SKIPPED, "its tier premium is not asked", ""),
    (r.NoKey("GROQ_API_KEY"), "no GROQ_API_KEY", "optimize keys set groq"),
    (r.NoKey("GROQ_API_KEY", "free at x.y/z"), "no GROQ_API_KEY", "optimize keys set groq  # free at x.y/z"),
    (r.OtherTier("free"), "only the tier free is wanted", "leave out --tier"),
    (
        r.NoAnswer("vLLM", "127.0.0.1:1"),
        "vLLM does not answer at 127.0.0.1:1",
        "start it, or check the address of groq",
    ),
    (r.ServerFailed("it answered 500", "look at its log"), "it answered 500", "look at its log"),
    (r.HoldsNothing("vLLM", "h:1"), "vLLM at h:1 holds no model that can answer", "load a model there"),
    (r.HoldsNothing("vLLM", "h:1", "q:7b"), "vLLM at h:1 holds no model that can answer", "optimize models pull q:7b"),
    (r.NotHeld("vLLM", False), "vLLM does not hold it", "optimize models list"),
    (r.NotHeld("Ollama", True), "Ollama does not hold it", "optimize models pull oss"),
    (r.Unfit("it only embeds"), "it only embeds", "optimize models list"),
    (r.AskedModel("opus"), "you asked for opus", ""),
    (r.AskedModel("opus", True), "you pinned opus for this project", "optimize models unpin"),
    (r.AskedProvider("gemini"), "you asked for gemini", ""),
    (r.AskedTier("free"), "you asked for the tier free only", ""),
    (r.AboveTier("free"), "its tier premium is above free", "--max-tier premium"),
    (
        r.ImageRefused("kinds", 0, 900, SHOT, frozenset({"png", "jpeg"})),
        "groq takes only jpeg, png; shot.png is a gif of 1,920 × 1,080 pixels, 0.0 MB as it is sent",
        "send a smaller image, or another kind",
    ),
    (
        r.ImageRefused("total", 4_000_000, 5_500_000),
        "groq takes 4.0 MB of images a request; these are 5.5 MB as they are sent",
        "send a smaller image, or another kind",
    ),
    (r.Window(4599, 4600), "its window of 4,599 tokens cannot hold 4,600", "ask about less, or lower max_tokens"),
    (r.Lacks(CODE, ("tools", "vision")), "profile code asks for tools, vision", "optimize profile show code"),
    (r.Lacks(r.By("role", "critic"), ("tools",)), "role critic asks for tools", ""),
    (
        r.Narrow(CODE, 16_000, 32_000),
        "profile code asks for a window of 32,000 tokens, this has 16,000",
        "optimize profile show code",
    ),
    (r.KeptLocal(CODE), "profile code is kept on this machine", "optimize profile show code"),
    (
        r.Resting(FAR, "groq answered 529"),
        f"it rests until {reasons.clock(FAR)} (groq answered 529)",
        "--model oss asks it anyway",
    ),
    (
        r.Shortage("tokens", 60, 8000, 4500, 5500, FAR),
        f"4,500 of 8,000 tokens a minute are left, this needs 5,500; reset at {reasons.clock(FAR)}",
        "",
    ),
    (
        r.Shortage("requests", 86_400, 0, 0, 1, FAR),
        f"0 requests a day are left, this needs 1; reset at {reasons.clock(FAR)}",
        "",
    ),
    (r.Shortage("input", 60, 4000, 4000, 5500, None), "its limit is 4,000 tokens a minute, this needs 5,500", ""),
    (
        r.Cap("day", 5_000_000, 4_999_900, 700),
        "the cap of $5.00 a day leaves $0.0001, this may cost $0.0007",
        "optimize budget set day AMOUNT",
    ),
    (
        r.Cap("day", 5_000_000, 4_999_900, 138_000, priced=False),
        "the cap of $5.00 a day leaves $0.0001, this may cost $0.1380 at the rate for unknown prices",
        "optimize budget set day AMOUNT",
    ),
    (r.Hopeless(0, 30), "accepted 0 of 30 times on such tasks here: starting above it", ""),
    (r.NoSaving(5_250.0, 2_692.0), "trying it first costs $0.0053 and saves $0.0027 on average", ""),
    (r.Behind("unknown price", "haiku"), "its price is unknown, that of haiku is known", ""),
    (
        r.Behind("accepted cost", "haiku", 5_250, 700),
        "more expensive than haiku for an accepted answer: $0.0053 against $0.0007",
        "",
    ),
)
ASKED: tuple[tuple[r.Picked | r.Reserve, int | None, Tier, str], ...] = (
    (r.Picked("only"), 0, "local", "the only local model, free"),
    (r.Picked("only"), None, "budget", "the only budget model, price unknown"),
    (r.Picked("only"), 0, "free", "the only free model"),
    (r.Picked("named"), 28_000, "premium", "you asked for it, $0.0280"),
    (r.Picked("pinned"), 28_000, "premium", "you pinned it for this project, $0.0280"),
    (r.Picked("cheapest", 3), 700, "budget", "the cheapest of 3 budget models, $0.0007"),
    (r.Picked("best", 3), 700, "budget", "the best of 3 budget models, $0.0007"),
    (r.Picked("one", 2), 700, "budget", "one of 2 budget models, $0.0007"),
    (
        r.Picked("only", accepted=5, tries=30),
        0,
        "local",
        "the only local model, free, accepted 5 of 30 times on such tasks here",
    ),
    (
        r.Picked("only", asks=True),
        14_000,
        "premium",
        "the only premium model, $0.0140, you are asked first at this price",
    ),
    (
        r.Picked("only", preferred=r.Preferred(CODE, "qwen")),
        0,
        "free",
        "the only free model, profile code prefers qwen",
    ),
    (
        r.Picked("only", preferred=r.Preferred(CODE, suits="code")),
        0,
        "free",
        "the only free model, profile code prefers it, as it suits code",
    ),
    (r.Picked("only", note=r.Later(0.0, 10.0)), 0, "free", "the only free model, can be asked again in 10 s"),
    (
        r.Picked("only", note=r.Later(12.0, 0.0)),
        0,
        "free",
        "the only free model, can be asked in 12 s, when its limit allows it",
    ),
    (
        r.Picked("only", note=r.Later(0.2, 0.0)),
        0,
        "free",
        "the only free model, can be asked in a moment, when its limit allows it",
    ),
    (r.Picked("only", note=r.Cached(3500)), 0, "free", "the only free model, 3,500 tokens are in its prompt cache"),
    (
        r.Picked("only", note=r.Trimmed(4000, 100_000)),
        0,
        "free",
        "the only free model, 4,000 tokens of code are left out, as above 100,000 all of them cost more",
    ),
    (
        r.Picked("only", note=r.HigherRate(100_000)),
        0,
        "free",
        "the only free model, above 100,000 tokens the whole prompt is charged at a higher rate",
    ),
    (
        r.Reserve(r.Behind("price", "haiku", 5_250, 700)),
        5_250,
        "budget",
        "in reserve, more expensive than haiku: $0.0053 against $0.0007",
    ),
    (
        r.Reserve(r.Behind("order", "coder")),
        0,
        "free",
        "in reserve, costs the same as coder, which is preferred",
    ),
    (
        r.Reserve(r.Behind("chance", "best"), loaded=True),
        0,
        "local",
        "in reserve, as it is loaded already; costs the same as best, which is more likely to succeed",
    ),
    (
        r.Reserve(r.Behind("loaded", "coder")),
        0,
        "local",
        "in reserve, costs the same as coder, which is loaded already",
    ),
    (
        r.Reserve(r.Behind("wait", "flash", later=r.Later(0.0, 10.0))),
        0,
        "free",
        "in reserve, can be asked again in 10 s; flash at once",
    ),
    (
        r.Reserve(r.Behind("wait", "flash", later=r.Later(0.0, 10.0), waits=True)),
        0,
        "free",
        "in reserve, can be asked again in 10 s; flash sooner",
    ),
    (
        r.Reserve(r.Behind("preference", "qwen", preferred=r.Preferred(CODE, "qwen"))),
        0,
        "local",
        "in reserve, qwen comes first: profile code prefers qwen",
    ),
    (r.Reserve(r.Behind("preference", "qwen")), 0, "local", "in reserve, qwen comes first: it calls tools"),
)
STATES: tuple[tuple[r.State, str], ...] = (
    (None, "not asked yet"),
    (r.Failed(1, FAR, "529"), f"failed at {reasons.clock(FAR)}: 529"),
    (r.Failed(3, FAR, "529"), f"failed 3 times since {reasons.clock(FAR)}: 529"),
    (r.Resting(FAR, "529"), f"rests until {reasons.clock(FAR)}: 529"),
    (r.Well(2.04), "well, 2.0 s an answer"),
)
ROUTES: tuple[tuple[r.Plan, tuple[Tier, ...], str], ...] = (
    (r.Plan(), (), "no model may be asked"),
    (r.Plan(), ("local",), "local only"),
    (r.Plan(), ("local", "free", "premium"), "local -> free -> premium, escalating on a failed check"),
    (r.Plan(only="opus"), ("premium",), "only opus, as you asked"),
    (r.Plan(only="opus", pinned=True), ("premium",), "only opus, as you pinned for this project"),
    (r.Plan(routing=False), ("premium",), "one attempt in premium, routing is off"),
    (r.Plan(profile=CODE, by_kind=True), ("local",), "local only, profile code, chosen for this kind of work"),
    (
        r.Plan(profile=CODE, instead_of=r.By("profile", "art")),
        ("local",),
        "local only, profile code (no model fits profile art)",
    ),
)


def asked(reason: r.Picked | r.Reserve, estimate: int | None, tier: Tier) -> Attempt:
    model = Model("oss", "groq", tier, 9000, 900, True, "tool", frozenset(), "", "Oss")
    return Attempt(model, reason, estimate, isinstance(reason, r.Reserve))


@pytest.mark.parametrize(("reason", "words", "cure"), LEFT)
def test_a_model_is_left_out_in_words_and_with_a_command(reason: r.Reason, words: str, cure: str) -> None:
    left = LeftOut("oss", "groq", "premium", reason)
    assert (reasons.why(left), reasons.hint(left)) == (words, cure)


def test_every_reason_has_words() -> None:
    covered = {type(reason) for reason, _, _ in LEFT}
    assert covered == set(typing.get_args(r.Reason))
    assert {reason for reason, _, _ in LEFT if isinstance(reason, r.Why)} == set(r.Why)


@pytest.mark.parametrize("code", typing.get_args(r.SignCode))
def test_every_sign_has_words(code: r.SignCode) -> None:
    words = reasons.sign(r.Sign(code, "add", "nl", "tiny", 7))
    assert words and "{" not in words


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (r.Sign("opinion", "design", model="tiny"), "tiny takes it for design"),
        (r.Sign("foreign_word", "voeg", "nl"), "it says 'voeg' (nl)"),
        (r.Sign("hard_subject", "race"), "a hard subject ('race')"),
        (r.Sign("long_prompt", amount=5000), "a prompt of 5,000 tokens"),
        (r.Sign("images", amount=1), "an image goes with it"),
        (r.Sign("images", amount=2), "2 images go with it"),
    ],
)
def test_a_sign_in_words(sign: r.Sign, words: str) -> None:
    assert reasons.sign(sign) == words


@pytest.mark.parametrize(("reason", "estimate", "tier", "words"), ASKED)
def test_a_model_is_asked_in_words(reason: r.Picked | r.Reserve, estimate: int | None, tier: Tier, words: str) -> None:
    assert reasons.attempt(asked(reason, estimate, tier)) == words


@pytest.mark.parametrize(("state", "words"), STATES)
def test_a_state_in_words(state: r.State, words: str) -> None:
    assert reasons.state(state) == words


@pytest.mark.parametrize(("plan", "tiers", "words"), ROUTES)
def test_a_route_in_words(plan: r.Plan, tiers: tuple[Tier, ...], words: str) -> None:
    attempts = tuple(asked(r.Picked("only"), 0, tier) for tier in tiers)
    task = Task("edit", 0.35, (), True, 4000, 600)
    assert reasons.route(task, Route(attempts, plan)) == f"edit, difficulty 0.35: {words}"
