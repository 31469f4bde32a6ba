"""One row for each vendor of models: all that the program knows of it but its wire, which is in `providers/`.

Nothing outside `providers/` compares names of vendors; what differs between them is a field here. To add one whose SDK
is like OpenAI's: a row here with `sdk`, rows in models/catalogue.toml, and the SDK in pyproject.toml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

ALL_KINDS = frozenset({"png", "jpeg", "gif", "webp"})
_MB = 1_000_000


class ImageLimits(NamedTuple):
    """Kinds of images; most bytes of one and of all in a request, both as base64; most pixels of a side and in all.

    0: the vendor sets no limit, or this program stays below it.
    """

    kinds: frozenset[str] = ALL_KINDS
    each: int = 0
    together: int = 0
    side: int = 0
    pixels: int = 0


class ChatSdk(NamedTuple):
    """An SDK made like OpenAI's: its module, client and base error, its HTTP library, and what its server calls the
    limit of an answer; `detail` is how closely images are looked at, where the server knows such a choice.

    With `reasoning`, what the server sent of its reasoning before a tool call goes back to it; with `counts`, tokens
    are counted only where that is asked for.
    """

    module: str
    client: str
    error: str
    http: Literal["httpx", "httpx2"]
    limit: str = "max_completion_tokens"
    detail: str = ""
    reasoning: bool = False
    counts: bool = False


class Vendor(NamedTuple):
    """A vendor, or a kind of server.

    `keys` are the environment variables of its key, the first one that is set is used; `key_page` says where to get
    one. `server` is its kind, and how its models are known: a cloud whose models are in the catalogue; a server
    that speaks OpenAI's interface, and lists them; an Ollama server, which also downloads, loads and removes them.
    `title` is what sentences call such a server, `start` is the command that starts it, `site` where
    it is found. `adapter` is a module of
    `providers/`, with `sdk` where that one serves several. `paths` are endings of an address that its SDK adds itself,
    `path` is added to an address without one. `quotas` is the kind of its headers, `requests` the period of its limit
    of requests, `day_starts` the hour (UTC) of reset of its limits of a day, None where its answers say when;
    `credit_in_limits` means that it reports limits in words that elsewhere mean spent credit.
    """

    name: str
    url: str
    keys: tuple[str, ...] = ()
    key_page: str = ""
    server: Literal["cloud", "compatible", "ollama"] = "cloud"
    title: str = ""
    start: str = ""
    site: str = ""
    adapter: str = "chat"
    sdk: ChatSdk | None = None
    paths: tuple[str, ...] = ()
    path: str = ""
    images: ImageLimits = ImageLimits()
    quotas: Literal["chat", "anthropic"] = "chat"
    requests: Literal["minute", "day"] = "minute"
    day_starts: int | None = None
    credit_in_limits: bool = False

    @property
    def own_host(self) -> str:
        """The host of the vendor itself; servers that speak its interface have others."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def can_be_local(self) -> bool:
        """Whether it may run on this machine; such a server may be asked without a key."""
        return self.server != "cloud"

    @property
    def manages_models(self) -> bool:
        """Whether models are downloaded, loaded and removed through it."""
        return self.server == "ollama"


_ROWS = (
    Vendor(
        name="anthropic",
        url="https://api.anthropic.com",
        keys=("ANTHROPIC_API_KEY",),
        key_page="from platform.claude.com/settings/keys",
        adapter="anthropic",
        paths=("/v1",),
        # 10 MB an image, 32 MB a request, 8,000 pixels a side: platform.claude.com/docs, "Vision"
        images=ImageLimits(each=10 * _MB, together=31 * _MB, side=8000),
        quotas="anthropic",
    ),
    Vendor(
        name="gemini",
        url="https://generativelanguage.googleapis.com",
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        key_page="free at aistudio.google.com/apikey",
        adapter="gemini",
        paths=("/v1beta", "/v1"),
        # 20 MB a request, no gif: ai.google.dev/gemini-api/docs, "Image understanding"
        images=ImageLimits(ALL_KINDS - {"gif"}, together=19_500_000),
        day_starts=8,  # midnight on the Pacific coast; in summer an hour earlier, which errs safely
        credit_in_limits=True,
    ),
    Vendor(
        name="groq",
        url="https://api.groq.com",
        keys=("GROQ_API_KEY",),
        key_page="free at console.groq.com/keys",
        sdk=ChatSdk("groq", "Groq", "GroqError", "httpx"),
        paths=("/openai/v1", "/openai"),
        # 4 MB a request with base64, 33 megapixels: console.groq.com/docs, "Images and Vision"
        images=ImageLimits(together=3_900_000, pixels=33_177_600),
        requests="day",
    ),
    Vendor(
        name="ollama",
        url="http://127.0.0.1:11434",
        server="ollama",
        title="Ollama",
        start="ollama serve",
        site="ollama.com",
        adapter="ollama",
        paths=("/api", "/v1"),
        # png, jpeg and, since 2025, webp: its maintainers
        images=ImageLimits(ALL_KINDS - {"gif"}),
    ),
    Vendor(
        name="openai",
        url="https://api.openai.com/v1",
        keys=("OPENAI_API_KEY",),
        key_page="from platform.openai.com/api-keys",
        server="compatible",
        title="the compatible server",
        # without a detail, newer models charge for every pixel of an image
        sdk=ChatSdk("openai", "OpenAI", "OpenAIError", "httpx2", detail="high", reasoning=True, counts=True),
        path="/v1",
    ),
)
VENDORS: Mapping[str, Vendor] = {row.name: row for row in _ROWS}
NAMES: tuple[str, ...] = tuple(VENDORS)
COMPATIBLE = next(row.name for row in _ROWS if row.server == "compatible")
"""The vendor whose interface the user's own servers speak."""
OLLAMA = next(row.name for row in _ROWS if row.manages_models)
"""The server that downloads and loads models on this machine."""
REMOTE = f"{OLLAMA}-cloud"
"""The name, as of a provider, of what such a server does not run itself but passes on to its maker."""
REMOTE_HOST = "ollama.com"
_REMOTE_TAG = re.compile(r":(?:.+-)?cloud$")


def is_remote(model_id: str, remote_host: str = "") -> bool:
    """Whether a model of Ollama's runs elsewhere, as its server says (`remote_host`) or its tag."""
    return bool(remote_host) or _REMOTE_TAG.search(model_id.lower()) is not None


def of(provider: str) -> Vendor:
    """The row of a provider; a server that the user named speaks the compatible interface."""
    return VENDORS.get(provider) or VENDORS[COMPATIBLE]


def key_variable(provider: str) -> str:
    """The environment variable that holds a provider's key; for a server that the user named, by its name."""
    if provider not in VENDORS:
        return f"{provider.upper().replace('-', '_')}_API_KEY"
    return next(iter(VENDORS[provider].keys), "the key")


def whole_name(model_id: str) -> str:
    """The whole name of a model of Ollama's: without a tag, `latest` is meant."""
    return model_id if ":" in model_id else f"{model_id}:latest"
