from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import ConfigError
from optimizer.ledger.prices import list_price
from optimizer.models.catalogue import LICENCES, SHIPPED, Catalogue, load_catalogue
from optimizer.types import TIERS, Usage
from optimizer.vendors import VENDORS
from tests.counted import calls

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue(None)


def own(tmp_path: Path, text: str) -> Catalogue:
    (tmp_path / "models.toml").write_text(text)
    return load_catalogue(tmp_path / "models.toml")


def exact_rows(catalogue: Catalogue) -> list[tuple[str, str]]:
    return [(row.id, row.provider) for row in catalogue.rows if row.exact]


def test_cloud_models_are_whole_priced_and_no_wider_than_the_price_table_says(shipped: Catalogue) -> None:
    from genai_prices.data import providers

    windows = {
        f"{provider.id}:{known.id}": known.context_window
        for provider in providers
        for known in provider.models
        if known.context_window
    }
    for name, provider in exact_rows(shipped):
        model = shipped.describe(name, provider)
        assert list_price(model, Usage(input=1_000_000, output=1_000_000), AT), name
        assert model.window <= windows[model.price_ref], name
        assert model.max_output <= model.window
        assert model.licence in ("proprietary", "permissive")
        assert model.label != "Other"
        assert model.edit_format == "tool"
        assert model.tools


@pytest.mark.slow
def test_cloud_ids_are_the_ones_the_vendors_name(shipped: Catalogue) -> None:
    from anthropic.types.model import Model as AnthropicModel
    from openai.types.shared.chat_model import ChatModel

    anthropic = set(get_args(get_args(AnthropicModel)[0]))
    openai = set(get_args(ChatModel))
    rows = exact_rows(shipped)
    assert {name for name, provider in rows if provider == "anthropic"} <= anthropic
    assert {name for name, provider in rows if provider == "openai" and name.startswith("gpt")} <= openai
    assert {"anthropic", "gemini", "groq", "openai"} == {provider for _, provider in rows}


@pytest.mark.parametrize(
    ("name", "provider", "tier", "label", "micro"),
    [
        ("openai/gpt-oss-120b", "groq", "free", "Groq", 750_000),
        ("gemini-3.5-flash-lite", "gemini", "free", "Gemini", 2_800_000),
        ("claude-haiku-5-5", "anthropic", "budget", "Haiku", 3_000_000),
        ("deepseek-flash", "openai", "budget", "DeepSeek", 750_000),
        ("gemini-3.8-flash", "gemini", "budget", "Gemini", 4_500_000),
        ("claude-sonnet-5-5", "anthropic", "premium", "Sonnet", 12_000_000),
        ("gemini-4-argon", "gemini", "premium", "Gemini", 12_000_000),
        ("claude-opus-5-5", "anthropic", "premium", "Opus", 24_000_000),
        ("claude-opus-4-8", "anthropic", "premium", "Opus", 30_000_000),
        ("claude-haiku-4-5-20251001", "anthropic", "budget", "Haiku", 6_000_000),
    ],
)
def test_tiers_labels_and_prices(
    shipped: Catalogue, name: str, provider: str, tier: str, label: str, micro: int
) -> None:
    model = shipped.describe(name, provider)
    assert (model.id, model.provider, model.tier, model.label) == (name, provider, tier, label)
    assert list_price(model, Usage(input=1_000_000, output=1_000_000), AT) == micro


def test_what_a_request_may_set(shipped: Catalogue) -> None:
    for name, provider in exact_rows(shipped):
        refuses = provider == "anthropic" or name.startswith("gpt-6")
        assert ("temperature" in shipped.describe(name, provider).parameters) is not refuses


@pytest.mark.parametrize(
    ("name", "window", "tools", "edit_format", "licence"),
    [
        ("qwen2.5-coder:7b", 32_768, True, "text", "permissive"),
        ("qwen2.5-coder:3b-instruct-q4_K_M", 32_768, True, "text", "restricted"),
        ("hf.co/bartowski/Qwen2.5-Coder-14B-Instruct-GGUF:Q4_K_M", 32_768, True, "text", "permissive"),
        ("qwen3-coder:30b", 262_144, True, "tool", "permissive"),
        ("gpt-oss:20b", 131_072, True, "tool", "permissive"),
        ("devstral:24b", 131_072, True, "tool", "permissive"),
        ("codestral:22b", 32_768, False, "text", "restricted"),
        ("deepseek-coder-v2:16b", 131_072, False, "text", "restricted"),
        ("deepseek-coder:6.7b", 16_384, False, "text", "restricted"),
        ("deepseek-r1:14b", 131_072, False, "text", "permissive"),
        ("llama3.1:8b", 131_072, True, "text", "restricted"),
        ("llama3.2:3b", 131_072, True, "text", "restricted"),
        ("llama3:8b", 8_192, False, "text", "restricted"),
        ("mistral:7b", 32_768, True, "text", "permissive"),
        ("mistral-nemo:12b", 131_072, True, "text", "permissive"),
        ("gemma3:1b-it-qat", 32_768, False, "text", "restricted"),
        ("gemma3:12b", 131_072, False, "text", "restricted"),
        ("gemma2:9b", 8_192, False, "text", "restricted"),
        ("phi4:14b", 16_384, False, "text", "permissive"),
        ("phi3:mini", 4_096, False, "text", "permissive"),
        ("granite3.3:8b", 131_072, True, "text", "permissive"),
        ("starcoder2:15b", 16_384, False, "text", "restricted"),
        ("codellama:13b", 16_384, False, "text", "restricted"),
        ("dolphin3:8b", 8_192, False, "text", "unknown"),
        ("never-heard-of:1b", 8_192, False, "text", "unknown"),
    ],
)
def test_open_weights(shipped: Catalogue, name: str, window: int, tools: bool, edit_format: str, licence: str) -> None:
    model = shipped.describe(name, "ollama")
    assert (model.window, model.tools, model.edit_format, model.licence) == (window, tools, edit_format, licence)
    assert (model.id, model.tier, model.label, model.price_ref) == (name, "local", "Local", "")


def test_an_unknown_model_in_the_cloud_is_never_taken_for_cheap(shipped: Catalogue) -> None:
    model = shipped.describe("never-heard-of", "openai")
    assert (model.tier, model.price_ref, model.tools, model.edit_format) == ("premium", "", False, "text")


@pytest.mark.parametrize(
    "name",
    ["nomic-embed-text:latest", "mxbai-embed-large", "bge-m3", "all-minilm:33m",
     "qwen2.5-coder:7b-base", "llama-guard3:8b"],
)  # fmt: skip
def test_models_that_are_never_asked(shipped: Catalogue, name: str) -> None:
    assert shipped.unfit(name, "ollama")
    assert not shipped.unfit("qwen2.5-coder:7b", "ollama")


def test_preference_among_local_models(shipped: Catalogue) -> None:
    best_first = [
        "qwen3-coder:30b",
        "qwen2.5-coder:32b",
        "qwen2.5-coder:14b",
        "qwen2.5-coder:7b",
        "llama3.1:8b",
        "x:1b",
    ]
    assert sorted(best_first, key=lambda name: shipped.rank(name, "ollama")) == best_first
    assert shipped.rank("qwen2.5-coder:32b", "ollama") < shipped.rank("qwen2.5-coder:7b", "ollama")


@given(st.from_regex(r"[a-z/]{0,9}(qwen|gpt|claude|llama|embed|coder)[a-z0-9.:/-]{0,12}", fullmatch=True))
def test_the_rows_about_a_model_are_those_that_fit_it(shipped: Catalogue, name: str) -> None:
    for provider in ("ollama", "groq"):
        fitting = [row for row in shipped.rows if row.fits(name, provider)]
        assert shipped.rank(name, provider) == shipped.rows.index(fitting[0])
        for fact, stated in shipped.facts(name, provider).items():
            assert stated.row == next(row.id for row in fitting if getattr(row, fact) is not None)


def test_a_list_of_thousands_of_models_is_little_work_for_each(tmp_path: Path) -> None:
    catalogue = own(tmp_path, "".join(f'[[model]]\nid = "family-{number}*"\ntools = false\n' for number in range(99)))
    names = [f"vendor/model-{number}:7b" for number in range(200)]

    def all_of_them() -> None:
        for name in names:
            catalogue.unfit(name, "ollama")
            catalogue.rank(name, "ollama")
            catalogue.traits(catalogue.describe(name, "ollama"))

    catalogue.unfit("another", "ollama")  # the patterns are compiled once
    assert calls(all_of_them).total() < 40 * len(names)


def test_offers_depend_on_the_host(shipped: Catalogue) -> None:
    assert shipped.offered("openai", "api.deepseek.com") == ("deepseek-flash",)
    assert "deepseek-flash" not in shipped.offered("openai", "api.openai.com")
    assert shipped.offered("anthropic", "127.0.0.1:9999") == shipped.offered("anthropic", "api.anthropic.com")
    assert shipped.offered("ollama", "127.0.0.1:11434") == ()


def test_one_example_a_tier(shipped: Catalogue) -> None:
    examples = shipped.examples()
    assert tuple(model.tier for model in examples) == TIERS[1:]
    assert examples[0].id == shipped.suggested_local
    assert all(list_price(model, Usage(input=1000), AT) for model in examples[1:])


def test_every_shipped_row_is_sound(shipped: Catalogue) -> None:
    text = SHIPPED.read_text()
    assert len(shipped.rows) == text.count("\n[[model]]")
    for row in shipped.rows:
        assert row.licence in (*LICENCES, None)
        assert row.tier in (*TIERS, None)
        assert row.provider in ("", *VENDORS)
    for provider in VENDORS:
        assert shipped.describe("anything", provider).window > 0


def test_the_users_rows_come_first_and_state_only_what_differs(tmp_path: Path) -> None:
    text = '[[model]]\nid = "openai/gpt-oss-*"\nprovider = "groq"\ntier = "budget"\n\n'
    text += '[[model]]\nid = "my-coder:70b"\nwindow = 65536\ntools = true\nedit_format = "tool"\nparameters = []\n'
    catalogue = own(tmp_path, 'suggested_local = "my-coder:70b"\n' + text)
    paid = catalogue.describe("openai/gpt-oss-20b", "groq")
    assert (paid.tier, paid.window, paid.label, paid.price_ref) == (
        "budget",
        131_072,
        "Groq",
        "groq:openai/gpt-oss-20b",
    )
    mine = catalogue.describe("my-coder:70b", "ollama")
    assert (mine.window, mine.tools, mine.edit_format, mine.parameters) == (65_536, True, "tool", frozenset())
    assert catalogue.rank("my-coder:70b", "ollama") < catalogue.rank("qwen3-coder:30b", "ollama")
    assert catalogue.suggested_local == "my-coder:70b"


def test_a_new_cloud_model_is_offered(tmp_path: Path) -> None:
    catalogue = own(tmp_path, '[[model]]\nid = "claude-opus-9"\nprovider = "anthropic"\nprice_ref = "anthropic:{id}"\n')
    assert catalogue.offered("anthropic", "api.anthropic.com")[0] == "claude-opus-9"
    assert catalogue.describe("claude-opus-9", "anthropic").label == "Opus"


def test_no_file_of_ones_own_is_fine(tmp_path: Path, shipped: Catalogue) -> None:
    assert load_catalogue(tmp_path / "models.toml") == shipped


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ('[[model]]\nid = "a"\nwindw = 1\n', 3, "unknown field 'windw'", "'window'"),
        (
            '[[model]]\nid = "a"\n\n[[model]]\nid = "b"\nwindow = "big"\n',
            6,
            "window: expected a whole number",
            "correct",
        ),
        ('[[model]]\nid = "a"\nwindow = 0\n', 3, "window: expected a whole number above 0", "correct"),
        ('[[model]]\nid = "a"\nwindow = true\n', 3, "window: expected a whole number", "correct"),
        ('[[model]]\nid = "a"\ntools = "yes"\n', 3, "tools: expected true or false", "correct"),
        ('[[model]]\nid = "a"\ntier = "premum"\n', 3, "tier: expected one of local, free", "'premium'"),
        ('[[model]]\nid = "a"\ntier = "index"\n', 3, "tier: expected one of local, free", ""),
        ('[[model]]\nid = "a"\nprovider = "grok"\n', 3, "provider: expected one of", "'groq'"),
        ('[[model]]\nid = "a"\nprovider = "groq"\ntier = "local"\n', 4, "groq is never local", "another tier"),
        ('[[model]]\nid = "a"\nlicence = "mit"\n', 3, "licence: expected one of", "permissive"),
        ('[[model]]\nid = "a"\nparameters = [1]\n', 3, "parameters: expected a list of texts", "correct"),
        ('[[model]]\nid = "a\\u001b"\n', 2, "id: expected text that can be printed", "correct"),
        ("[[model]]\nwindow = 1\n", 1, "a model without an id", "id ="),
        ("\n[[modle]]\n", 2, "unknown section 'modle'", "'model'"),
        ("[model]\nid = 'a'\n", 1, "model is a list of rows", "[[model]]"),
        ("suggested_local = 1\n", 1, "suggested_local: expected text", "quotes"),
        ("[[model]\n", 1, "Expected ']]'", "fix the file"),
    ],
)
def test_mistakes_name_file_line_and_cure(tmp_path: Path, text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        own(tmp_path, text)
    assert caught.value.message.startswith(f"{tmp_path / 'models.toml'}:{line}: ")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_no_model_is_named_in_code() -> None:
    package = SHIPPED.parent.parent
    rooms = [package / room for room in ("models", "routing", "ledger", "config")]
    for file in (file for room in rooms for file in room.glob("*.py")):
        text = file.read_text().lower()
        assert not [name for name in ("claude-", "gpt-", "qwen", "gemini-", "llama3", "haiku-") if name in text], file


def test_strengths_follow_the_size_that_a_name_tells(tmp_path: Path) -> None:
    own = tmp_path / "models.toml"
    own.write_text(
        '[[model]]\nid = "mine:70b"\nreasoning = 0.2\n\n[[model]]\nid = "yours*"\ncoding = 0.4\nsized = 10.0\n'
    )
    catalogue = load_catalogue(own)

    def strength(name: str, of: str = "coding") -> float:
        return catalogue.traits(catalogue.describe(name, "ollama")).strengths[of]

    sizes = [strength(f"qwen2.5-coder:{size}b") for size in ("0.5", "1.5", "3", "7", "14")]
    assert sizes == sorted(sizes) and sizes[0] >= 0.05 and sizes[3] == strength("qwen2.5-coder:latest") == 0.3
    assert strength("qwen3:0.6b") < strength("never-heard-of") < strength("qwen3:32b")
    assert strength("mine:70b", "reasoning") == 0.2
    assert (strength("yours:10b"), strength("yours:20b"), strength("yours:5b")) == (0.4, 0.45, 0.35)
    assert strength("qwen3-coder:9000b") == 0.7
