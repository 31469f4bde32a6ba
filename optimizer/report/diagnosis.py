"""What `optimize doctor` finds on a machine, in words: what is protected, by what, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from optimizer.report.checks import LAYERS

FindingCode = Literal[
    "confined",
    "unconfinable",
    "unconfined_allowed",
    "trusted",
    "untrusted",
    "key",
    "key_locked",
    "no_key",
    "passphrase_open",
    "plain_http",
    "consent",
    "no_consent",
    "direct",
    "proxy_used",
    "proxy_unused",
    "certificates",
    "certificates_missing",
    "server",
    "server_silent",
    "models",
    "no_model",
    "git",
    "git_missing",
    "git_refuses",
    "git_silent",
    "no_repository",
    "index",
    "no_index",
    "state_private",
    "state_open",
    "state_inside",
    "broken",
    "sent",
    "formless",
    "environment",
    "images",
]


class Finding(NamedTuple):
    """One finding, and the values of its words in order."""

    code: FindingCode
    values: tuple[str, ...] = ()


class _Words(NamedTuple):
    """The area of a finding, what it says, and the cure of a warning; a finding without a cure is none."""

    area: str
    text: str
    cure: str = ""


OPEN = "not protected"
"""The area of what nothing here protects from."""
_WORDS: Mapping[FindingCode, _Words] = {
    "confined": _Words("commands", "they see only their copy and the tool chains, held by {0}"),
    "unconfinable": _Words("commands", "nothing here can confine them: they do not run", "install bubblewrap"),
    "unconfined_allowed": _Words(
        "commands", "they may run unconfined here where nothing confines them", "optimize trust revoke unconfined"
    ),
    "trusted": _Words("commands", "allowed to run here: {0}"),
    "untrusted": _Words("commands", "none of this repository's is allowed to run"),
    "key": _Words("keys", "{0} from {1}"),
    "key_locked": _Words(
        "keys", "{0} from the encrypted file, with no passphrase here", "set OPTIMIZER_PASSPHRASE_FILE"
    ),
    "no_key": _Words("keys", "none: only models on this machine can be asked"),
    "passphrase_open": _Words("keys", "others can read the passphrase in {0}", "chmod 600 {0}"),
    "plain_http": _Words("keys", "that of {0} goes to {1} without encryption", "write https:// for it in [endpoints]"),
    "consent": _Words("consent", "may receive code of this repository: {0}"),
    "no_consent": _Words("consent", "no provider may receive code of this repository"),
    "direct": _Words("network", "no proxy; certificates of the system"),
    "proxy_used": _Words("network", "requests go through the proxy {0} ({1})"),
    "proxy_unused": _Words("network", "{0} is set and not used"),
    "certificates": _Words("network", "certificates from {0} alone are trusted"),
    "certificates_missing": _Words("network", "{0} names {1}, which is not there", "unset {0}"),
    "server": _Words("servers", "{0} answers at {1}; models when last asked: {2}"),
    "server_silent": _Words("servers", "{0} does not answer at {1}"),
    "models": _Words("models", "{0} can be asked: {1}"),
    "no_model": _Words("models", "none can be asked", "optimize models recommend, or optimize keys set PROVIDER"),
    "git": _Words("files", "git says what is ignored; that and secret files are not read"),
    "git_missing": _Words("files", "git was not found: what its rules ignore is left out without it", "install git"),
    "git_refuses": _Words(
        "files",
        "another user owns this repository: it configures nothing, and git refuses it",
        "git config --global --add safe.directory {0}",
    ),
    "git_silent": _Words("files", "git fails here: ignored files are known by rules alone", "git status"),
    "no_repository": _Words("files", "no git repository: ignore files and names of secret files hold"),
    "index": _Words("index", "{0} files, as of {1}"),
    "no_index": _Words("index", "not built yet: the first request builds it"),
    "state_private": _Words("records", "only you can read {0}"),
    "state_open": _Words("records", "others can read {0}", "chmod 700 {0}"),
    "state_inside": _Words("records", "they lie in this repository: {0}", "set OPTIMIZER_HOME to another place"),
    "broken": _Words("records", "{0}", "{1}"),
    "sent": _Words(OPEN, "what a provider does with code that you consented to send"),
    "formless": _Words(OPEN, "secrets without a known form, and without a name that marks them"),
    "environment": _Words(OPEN, "keys in the environment from other programs that you start"),
    "images": _Words(OPEN, "what can be seen in images that you send: they are not scanned"),
}


def area(one: Finding) -> str:
    """What a finding is about."""
    return _WORDS[one.code].area


def text(one: Finding) -> str:
    """What was found."""
    values = (_layers(one.values),) if one.code == "confined" else one.values
    return _WORDS[one.code].text.format(*values)


def _layers(names: Sequence[str]) -> str:
    """Layers in the order in which they are tried."""
    first, *further = [LAYERS[name] for name in names]
    return first + (f" (else {', else '.join(further)})" if further else "")


def cure(one: Finding) -> str:
    """What to do about a warning; '' for what is well."""
    return _WORDS[one.code].cure.format(*one.values)
