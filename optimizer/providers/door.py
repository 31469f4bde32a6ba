"""The one door to the network: host, consent, secrets, egress log, deadlines and size, for both HTTP libraries."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from optimizer import vendors
from optimizer.config.options import option
from optimizer.debug import debug
from optimizer.errors import (
    BadAnswer,
    ConsentMissing,
    OptimizerError,
    ProviderError,
    SafetyRefused,
    SecretFound,
    StorageError,
)
from optimizer.privacy import consent, egress
from optimizer.privacy.identity import Identity, Look
from optimizer.providers import failures, outside
from optimizer.providers.endpoints import Endpoint, remote_of
from optimizer.providers.network import CORE, Body, Clock, Generation, Pools, broken, open_pool, pool_errors
from optimizer.providers.pace import Pace
from optimizer.providers.quotas import Exchange, quotas
from optimizer.settings import Settings

ERROR_BYTES = 65_536
SLOW_LINE = 125_000  # bytes a second: what is sent beyond the first of them may take so much longer
_DROPPED = {"content-encoding", "content-length", "transfer-encoding", "set-cookie"}
_CHATS = ("/chat", "/chat/completions", "/generate")
_FOR_KEYS = frozenset({"authorization", "x-api-key", "x-goog-api-key"})
_KINDS = re.compile(r"application/json(?:; ?charset=utf-8)?|text/event-stream|application/x-ndjson|\*/\*")
_SENT = {
    "host": re.compile(r".+"),
    "connection": re.compile(r"keep-alive|close"),
    "content-length": re.compile(r"\d+"),
    "transfer-encoding": re.compile(r"chunked"),
    "content-type": _KINDS,
    "accept": _KINDS,
    "anthropic-version": re.compile(r"\d{4}-\d\d-\d\d"),
}
_MODEL_IN_PATH = re.compile(r"/models/([^/:]+):")


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """Seconds and bytes that one exchange may take; `context_size` is the window asked of a local model (0: fit).

    With a `pace`, a server of this machine gets the time to read the prompt and to write the answer besides that to
    load the model.
    """

    connect: float = 5.0
    first: float = 60.0
    stall: float = 30.0
    answer: float = 300.0
    load: float = 300.0
    answer_bytes: int = 20_000_000
    context_size: int = 0
    keep_alive: str = ""
    connections: int = 4
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What a request is made for: the repository (its root, as consent names it), and where state is kept.

    `on_exchange` gets what the headers of each answer say, before its body is read. Connections are those of `pools`;
    without them each door has its own. `allowed` are fingerprints of what looks like a secret and may be sent.
    `errand`: the user asked for something without code, which needs no consent as long as it sends nothing.
    """

    repository: str
    state: Path
    limits: ExchangeLimits = ExchangeLimits()
    on_exchange: Callable[[Exchange], None] = lambda _: None
    allowed: tuple[str, ...] = ()
    pools: Pools | None = None
    look: Look = Identity
    errand: bool = False


def gate_for(
    repository: str, state: Path, settings: Settings, pools: Pools | None = None, look: Look = Identity
) -> Gate:
    """The gate with the limits of these settings; with `pools` connections stay open from call to call."""
    from optimizer.privacy.secrets import redact

    return Gate(
        repository,
        state,
        ExchangeLimits(
            connect=settings.connect_seconds,
            first=settings.first_token_seconds,
            stall=settings.stall_seconds,
            answer=settings.answer_seconds,
            load=settings.load_seconds,
            answer_bytes=settings.answer_bytes,
            context_size=settings.context_size,
            connections=settings.connections,
        ),
        allowed=redact.handling(settings).allowed,
        pools=pools,
        look=look,
    )


def gate_in(
    gate: Gate, settings: Settings, call: tuple[str, str, str], pace: Pace | None, listen: Callable[[Exchange], None]
) -> Gate:
    """The gate for a call: of a model, at a provider, for a kind of work, as the settings limit it.

    The pace is that of the model where its server is on this machine.
    """
    limits = replace(
        gate.limits,
        first=option(settings, "first_token_seconds", *call),
        stall=option(settings, "stall_seconds", *call),
        answer=option(settings, "answer_seconds", *call),
        load=option(settings, "load_seconds", *call),
        context_size=option(settings, "context_size", *call),
        keep_alive=option(settings, "keep_alive", *call),
        pace=pace,
    )
    return replace(gate, limits=limits, on_exchange=listen)


class Door:
    """A transport for an httpx or httpx2 client that lets nothing out unchecked; `client` is that client.

    A proxy from the environment is used only where the configuration says so, and is then part of the destination that
    consent is given for. Redirects and cookies are not followed or kept. `expects` are the tokens of the prompt and, at
    most, of the answer.
    """

    def __init__(self, generation: Generation, gate: Gate, endpoint: Endpoint) -> None:
        self.gate, self.endpoint = gate, endpoint
        self.lib: Any = importlib.import_module(generation)
        self.core: Any = importlib.import_module(CORE[generation])
        self.billable = False
        self.expects = (0, 0)
        self._open: list[Body] = []
        self._body_type = type("AnswerBody", (Body, self.lib.SyncByteStream), {})
        wanted = (generation, endpoint, gate.limits.connections)
        self._pool: Any = gate.pools.of(*wanted) if gate.pools else open_pool(*wanted)
        self.client: Any = self.lib.Client(transport=self, trust_env=False, follow_redirects=False)

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is left of the answers, and the connections unless they are shared."""
        self.hang_up()
        if not self.gate.pools:
            self._pool.close()

    def hang_up(self) -> None:
        """Close what is left of the answers being read, so that the server sees it at once."""
        while self._open:
            self._open.pop().close()

    def saw_at_end(self, mark: bytes) -> bool:
        """Whether `mark` is in the last bytes of the last answer."""
        return bool(self._open) and mark in self._open[-1].tail

    def handle_request(self, request: Any) -> Any:
        """Check, log and send one request of the client; raises our errors only."""
        self.billable = False
        self.hang_up()
        content = bytes(request.read())
        self._check(request, content)
        clock = self._clock(request.method, len(content))
        response = self._send(request, clock)
        body = self._body_type(response, clock, self.gate.limits.answer_bytes, self.core)
        self._open.append(body)
        headers = _headers(response.headers)
        waited = time.monotonic() - clock.begin
        debug("providers", "%s: status %d after %.2f s", self.endpoint.host, response.status, waited)
        if request.method == "POST":
            self._tell(request, response.status, headers)
        self._refuse(response.status, headers, body)
        return self.lib.Response(response.status, headers=headers, stream=body, extensions=response.extensions)

    def _clock(self, method: str, size: int) -> Clock:
        """The deadlines of an exchange: a server of this machine may have to load the model and read the prompt."""
        limits, provider = self.gate.limits, self.endpoint.provider
        if method != "POST" or not (self.endpoint.local or self.endpoint.vendor.manages_models):
            slow = max(0, size - SLOW_LINE) / SLOW_LINE
            return Clock(provider, (limits.first + slow, "network.first_token_seconds"), limits.stall, limits.answer)
        prompt, answer = self.expects
        reading, writing = (limits.pace.reading(prompt), limits.pace.writing(answer)) if limits.pace else (0.0, 0.0)
        first = (limits.load + reading, "network.load_seconds")
        return Clock(provider, first, limits.stall, max(limits.answer, writing))

    def waited(self) -> float:
        """Seconds from the request to the beginning of the last answer; 0 where none began."""
        return self._open[-1].clock.waited if self._open else 0.0

    def _tell(self, request: Any, status: int, headers: dict[str, str]) -> None:
        provider = self.endpoint.provider
        now = time.time()
        model = _model(urlsplit(str(request.url)).path, bytes(request.read()))
        self.gate.on_exchange(Exchange(provider, model, status, quotas(self.endpoint.vendor, headers, now), now))

    def _refusal(self, there: SplitResult, content: bytes, sends: bool) -> OptimizerError | None:
        """Why this may not be sent: host, consent and secrets, in this order; a check that fails is a no."""
        from optimizer.privacy.secrets import payload, redact

        endpoint, gate = self.endpoint, self.gate
        if (there.scheme, there.netloc.lower()) != (urlsplit(endpoint.base_url).scheme, endpoint.host):
            return SafetyRefused(
                f"{endpoint.provider} is asked at {endpoint.host}; a request to {there.netloc} was stopped",
                f"set the address under [endpoints] {endpoint.provider}",
            )
        try:
            where = endpoint.destination
            provider, needless = endpoint.provider, endpoint.local or (gate.errand and not sends)
            if endpoint.local and there.path.endswith(_CHATS) and vendors.is_remote(_model(there.path, content)):
                provider, where, needless = vendors.REMOTE, remote_of(endpoint).destination, False
            if not (needless or consent.granted(gate.state, gate.repository, provider, where, gate.look)):
                return ConsentMissing(provider, where)
            found = payload.scan_payload(content, gate.allowed)
        except (StorageError, SecretFound) as error:
            return error
        if not found:
            return None
        one = found[0]
        return SecretFound(
            f"nothing was sent to {endpoint.provider}: {one.where} holds what looks like {one.rule}",
            redact.cure(one.fingerprint),
        )

    def _check(self, request: Any, content: bytes) -> None:
        """Raise unless the request may go out; what is decided is logged before a byte is sent."""
        from optimizer.privacy.secrets import payload

        endpoint, gate = self.endpoint, self.gate
        there = urlsplit(str(request.url))
        refusal = self._refusal(there, content, sends=request.method != "GET" or bool(content))
        seen = payload.pictures(content)
        entry = egress.Egress(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            destination=endpoint.provider,
            host=endpoint.destination if there.netloc.lower() == endpoint.host else there.netloc.lower(),
            repository=gate.repository,
            model=_model(there.path, content),
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            allowed=refusal is None,
            reason="" if refusal is None else type(refusal).__name__,
            image_bytes=sum(map(len, seen)),
            images=tuple(hashlib.sha256(one).hexdigest() for one in seen),
        )
        egress.log(gate.state, entry)
        what = f"refused: {entry.reason}" if refusal else "sent"
        path = there.path.removeprefix(urlsplit(endpoint.base_url).path)  # an address may hold a token in its own path
        debug("providers", "%s %s%s, %d bytes: %s", request.method, entry.host, path, entry.bytes, what)
        if refusal is not None:
            raise refusal

    def _send(self, request: Any, clock: Clock) -> Any:
        url = request.url
        timeout = {"connect": self.gate.limits.connect, "read": clock, "write": self.gate.limits.stall, "pool": 5.0}
        outgoing = self.core.Request(
            method=request.method,
            url=self.core.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=_outgoing(request.headers.multi_items(), self.endpoint.key),
            content=request.stream,
            extensions={"timeout": timeout},
        )
        try:
            response = self._pool.handle_request(outgoing)
        except pool_errors(self.core) as error:
            self.billable = not isinstance(
                error, (self.core.ConnectError, self.core.ConnectTimeout, self.core.ProxyError)
            )
            if isinstance(error, self.core.ProxyError):
                raise outside.refused(self.endpoint, str(error)) from None
            failed = broken(self.endpoint.provider, self.core, error, clock)
            raise (failed if self.billable else outside.explained(failed, self.endpoint)) from None
        self.billable = True
        return response

    def _refuse(self, status: int, headers: dict[str, str], body: Body) -> None:
        """Raise for every answer that is not a success of the kind that an API gives."""
        provider = self.endpoint.provider
        if 300 <= status < 400:
            self.billable = False
            there = urlsplit(headers.get("location", "")).netloc or "nowhere"
            raise BadAnswer(
                f"{provider} redirected to {failures.redact(there, self.endpoint.key)}; that was not followed",
                f"check {self.endpoint.written}, and whether this network asks for a login",
            )
        if status == 407:
            self.billable = False
            raise outside.refused(self.endpoint, "407")
        if status >= 400:
            error = failures.from_status(
                provider, self.endpoint.key, status, headers, _beginning(body), self.endpoint.key_name
            )
            self.billable = isinstance(error, BadAnswer)
            raise error
        if "html" in headers.get("content-type", ""):
            self.billable = False
            raise BadAnswer(
                f"{provider} answered with a web page",
                f"check {self.endpoint.written}, and whether a login is asked for",
            )


def _outgoing(headers: Iterable[tuple[str, str]], key: str) -> list[tuple[bytes, bytes]]:
    """The headers that go out: those that a request needs, with nothing of the environment but the key.

    SDKs add what they find in variables, such as ANTHROPIC_CUSTOM_HEADERS, and what they know of this machine.
    """
    kept = {name.lower(): value for name, value in headers}
    sent = {name: value for name, value in kept.items() if (form := _SENT.get(name)) and form.fullmatch(value)}
    if key:
        sent |= {name: key if name.startswith("x-") else f"Bearer {key}" for name in _FOR_KEYS & kept.keys()}
    sent |= {"user-agent": "optimizer", "accept-encoding": "identity"}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name, without those that no longer hold for the decoded body or are not kept."""
    found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
    return {name: value for name, value in found.items() if name not in _DROPPED}


def _beginning(body: Body) -> bytes:
    """The first bytes of an error's body; what cannot be read is left out, the status says enough."""
    read = bytearray()
    try:
        for piece in body:
            read += piece
            if len(read) >= ERROR_BYTES:
                break
    except ProviderError:
        pass
    return bytes(read[:ERROR_BYTES])


def _model(path: str, content: bytes) -> str:
    """The model that a request names, for the log; '' when it names none."""
    if match := _MODEL_IN_PATH.search(path):
        return unquote(match[1])
    try:
        data = json.loads(content or b"{}")
    except ValueError:
        return ""
    return str(data.get("model", "")) if isinstance(data, dict) else ""
