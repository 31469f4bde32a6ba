"""Proxies and certificates of the environment: who is asked through them, and what is named when they fail."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from optimizer.git.identity import identify
from optimizer.privacy.consent import grant
from tests.e2e.conftest import Optimize
from tests.loopback.proxy import Proxy, certificate
from tests.loopback.replies import Reply, Tokens
from tests.loopback.server import Loopback

HOST = "models.test"  # a name that no server has: only the proxy can reach it
ASK = ("explain parse_response", "--provider", "anthropic", "--json")
pytestmark = pytest.mark.slow
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")


@pytest.fixture
def proxy(loopback: Loopback) -> Iterator[Proxy]:
    loopback.answer("anthropic", lambda _: Reply("It splits, calc/parse.py:4.", tokens=Tokens(900, 20)))
    opened = Proxy(loopback.url.removeprefix("http://"))
    yield opened
    opened.close()


def cloud(user: Optimize, scheme: str, proxied: bool) -> None:
    """Put Anthropic at a name that only the proxy reaches."""
    mode = "environment" if proxied else "none"
    user.configure(f'[endpoints]\nanthropic = "{scheme}://{HOST}"\n[network]\nproxy = "{mode}"\nconnect_seconds = 2\n')


def consent(user: Optimize, host: str) -> None:
    state = user.home / ".local/state/optimizer"
    grant(state, str(user.cwd), "anthropic", host, partial(identify, user.cwd, state))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("NO_PROXY", "localhost,[::1]"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("HTTPS_PROXY", "no:proxy"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("SSL_CERT_DIR", "/nowhere"),
        ("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem"),
    ],
)
@pytest.mark.parametrize("mode", ["none", "environment"])
def test_a_local_model_sees_nothing_of_the_network(
    user: Optimize, loopback: Loopback, variable: str, value: str, mode: str
) -> None:
    user.configure(loopback.config("ollama") + f'[network]\nproxy = "{mode}"\n')
    user.env[variable] = value
    loopback.answer("ollama", lambda _: Reply("It splits, calc/parse.py:4.", tokens=Tokens(900, 20)))
    ran = user("explain parse_response", "--provider", "ollama")
    assert (ran.code, len(loopback.asked("ollama"))) == (0, 1), ran.err


def test_a_cloud_is_asked_through_the_proxy_only_where_the_configuration_says_so(
    user: Optimize, loopback: Loopback, proxy: Proxy
) -> None:
    user.env["HTTP_PROXY"] = f"http://{proxy.host}"
    cloud(user, "http", proxied=False)
    consent(user, f"{HOST}, unencrypted")
    ran = user(*ASK)
    assert ran.code == 6 and proxy.asked == []
    assert "HTTP_PROXY" in ran.out and "network.proxy" in ran.out and proxy.host in ran.out
    cloud(user, "http", proxied=True)
    assert user(*ASK).code == 5  # consent for the server alone is none for the proxy
    assert proxy.asked == []
    assert proxy.host in user("consent", "grant", "anthropic").out
    ran = user(*ASK)
    assert ran.code == 0, ran.out
    assert [one.split("\r\n")[0] for one in proxy.asked] == [f"POST http://{HOST}/v1/messages HTTP/1.1"]
    logged = [json.loads(line) for line in user("consent", "log", "--json").out.splitlines()]
    assert any(f"{HOST}, unencrypted via {proxy.host}" in json.dumps(one) for one in logged)


def test_a_listed_host_goes_without_the_proxy(user: Optimize, proxy: Proxy) -> None:
    user.env.update(HTTP_PROXY=f"http://{proxy.host}", NO_PROXY=".test")
    cloud(user, "http", proxied=True)
    consent(user, f"{HOST}, unencrypted")
    assert user(*ASK).code == 6
    assert proxy.asked == []


def test_a_proxy_that_wants_a_password_is_named_and_gets_it(user: Optimize, loopback: Loopback) -> None:
    loopback.answer("anthropic", lambda _: Reply("It splits, calc/parse.py:4.", tokens=Tokens(900, 20)))
    proxy = Proxy(loopback.url.removeprefix("http://"), wants="bWU6cGFzc3dvcmQgMQ==")
    cloud(user, "http", proxied=True)
    consent(user, f"{HOST}, unencrypted via {proxy.host}")
    user.env["HTTP_PROXY"] = f"http://{proxy.host}"
    ran = user(*ASK)
    assert ran.code == 6 and proxy.host in ran.out and "407" in ran.out
    user.env["HTTP_PROXY"] = f"http://me:password%201@{proxy.host}"
    ran = user(*ASK)
    assert ran.code == 0, ran.out
    assert "password" not in ran.out + ran.err
    proxy.close()


@needs_openssl
def test_tls_goes_through_the_proxy_with_the_certificate_that_is_named(
    user: Optimize, loopback: Loopback, tmp_path: Path
) -> None:
    loopback.answer("anthropic", lambda _: Reply("It splits, calc/parse.py:4.", tokens=Tokens(900, 20)))
    file, context = certificate(tmp_path, HOST)
    proxy = Proxy(loopback.url.removeprefix("http://"), context)
    user.env["HTTPS_PROXY"] = proxy.host  # without a scheme, as many write it
    cloud(user, "https", proxied=True)
    consent(user, f"{HOST} via {proxy.host}")
    ran = user(*ASK)
    assert ran.code == 6 and "certificate" in ran.out and "SSL_CERT_FILE" in ran.out
    assert loopback.asked("anthropic") == []
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        user.env[variable] = str(file)
        ran = user(*ASK)
        assert ran.code == 0, ran.out
        del user.env[variable]
    assert proxy.asked[-1].startswith(f"CONNECT {HOST}:443 ")
    proxy.close()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_named(user: Optimize, variable: str) -> None:
    cloud(user, "https", proxied=False)
    consent(user, HOST)
    user.env[variable] = "/nowhere/ca.pem"
    ran = user(*ASK)
    assert ran.code == 2
    assert variable in ran.out and "/nowhere/ca.pem" in ran.out


def test_a_file_without_certificates_is_named(user: Optimize, tmp_path: Path) -> None:
    cloud(user, "https", proxied=False)
    consent(user, HOST)
    (tmp_path / "ca.pem").write_text("no certificate\n")
    user.env["SSL_CERT_FILE"] = str(tmp_path / "ca.pem")
    ran = user(*ASK)
    assert ran.code == 2 and "SSL_CERT_FILE" in ran.out


without_socks = pytest.mark.skipif(importlib.util.find_spec("socksio") is not None, reason="SOCKS can be used here")


@pytest.mark.parametrize(
    "value",
    [pytest.param("socks5://127.0.0.1:9", marks=without_socks), "ftp://127.0.0.1:9", "http://:99999"],
)
def test_a_proxy_that_cannot_be_used_is_named(user: Optimize, value: str) -> None:
    user.env["ALL_PROXY"] = value
    cloud(user, "https", proxied=True)
    granted = user("consent", "grant", "anthropic")
    assert granted.code == 0
    ran = user(*ASK)
    assert ran.code == 2 and "ALL_PROXY" in ran.out
