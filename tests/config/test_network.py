"""Which proxy the environment names for an address."""

from __future__ import annotations

import pytest

from optimizer.config.network import certificates, proxy_for


@pytest.mark.parametrize(
    ("url", "env", "variable", "host"),
    [
        ("https://a.example", {"HTTPS_PROXY": "http://p:1"}, "HTTPS_PROXY", "p:1"),
        ("https://a.example", {"https_proxy": "q:2", "HTTPS_PROXY": "http://p:1"}, "https_proxy", "q:2"),
        ("https://a.example", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "socks5://s:3"}, "ALL_PROXY", "s:3"),
        ("http://a.example", {"HTTP_PROXY": "http://me:pw@P:1/"}, "HTTP_PROXY", "p:1"),
        ("https://a.example", {"HTTPS_PROXY": " "}, "", ""),
        ("https://a.example", {}, "", ""),
    ],
)
def test_the_variable_of_the_scheme_is_used_and_no_password_is_shown(
    url: str, env: dict[str, str], variable: str, host: str
) -> None:
    found = proxy_for(url, env, used=True)
    assert ((found.variable, found.host) if found else ("", "")) == (variable, host)
    assert "pw" not in repr(found)


@pytest.mark.parametrize(
    ("url", "listed", "exempt"),
    [
        ("https://api.a.example", "a.example", True),
        ("https://api.a.example", ".a.example", True),
        ("https://api.a.example", "*.a.example", True),
        ("https://aa.example", "a.example", False),
        ("https://api.a.example", "localhost,[::1], A.EXAMPLE", True),
        ("https://api.a.example", "a.example:443", True),
        ("https://api.a.example", "a.example:8443", False),
        ("http://10.1.2.3:8080", "10.0.0.0/8", True),
        ("http://10.1.2.3:8080", "10.1.2.3:8080", True),
        ("http://[fd00::1]", "[fd00::1]", True),
        ("http://[fd00::1]", "fd00::1", True),
        ("https://a.example", "*", True),
        ("https://a.example", ",", False),
    ],
)
def test_no_proxy_lists_names_addresses_and_networks(url: str, listed: str, exempt: bool) -> None:
    env = {"ALL_PROXY": "http://p:1", "NO_PROXY": listed}
    assert (proxy_for(url, env, used=True) is None) == exempt


def test_the_bundle_of_requests_counts_where_nothing_else_is_named() -> None:
    bundle = {"REQUESTS_CA_BUNDLE": "/b"}
    assert certificates(bundle) == (("REQUESTS_CA_BUNDLE", "/b"),)
    assert certificates({**bundle, "SSL_CERT_DIR": "/d"}) == (("SSL_CERT_DIR", "/d"),)
    assert certificates({**bundle, "SSL_CERT_FILE": ""}) == certificates(bundle)
