"""Know by name the files that are there to hold secrets."""

from __future__ import annotations

import re

_SECRET_NAME = re.compile(
    r"""
    \.env | \.envrc | \.env\..+ | .+\.env
    | .+\.(?:pem|key|p12|pfx|p8|pkcs12|jks|bks|keystore|truststore|kdbx|kdb|ppk|asc|gpg|agekey|ovpn)
    | .+\.tfstate(?:\.backup)?
    | (?:.+[._-])?id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk)
    | [._]netrc | \.pgpass | pgpass\.conf | \.my\.cnf | \.npmrc | \.yarnrc\.yml | \.pypirc | \.git-credentials
    | \.dockercfg | \.htpasswd | \.s3cfg | \.boto | \.vault-token | \.vault_pass(?:\.txt)? | master\.key
    | (?:.+[._-])?credentials(?:\.(?:json|ya?ml|toml|ini|xml|csv|db))?
    | client_secrets?.*\.json | application_default_credentials\.json
    | .*service[-_]?account.*\.json | .*-firebase-adminsdk-.*\.json
    | (?:.+[._-])?secrets?\.(?:ya?ml|json|toml|ini|env|properties|txt|enc)
    | .+\.auto\.tfvars | terraform\.tfvars
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(
    r".*[._-](?:example|sample|template|tmpl|dist|default|defaults|schema)(?:\.[a-z]{1,10})?|.*\.pub", re.IGNORECASE
)
_SECRET_FOLDER = {
    ".aws": {"credentials", "config"},
    ".docker": {"config.json"},
    ".kube": {"config"},
    ".ssh": {"config", "known_hosts", "authorized_keys"},
    ".cargo": {"credentials", "credentials.toml"},
    ".gem": {"credentials"},
}


def is_secret_file(path: str) -> bool:
    """Whether a file of this name is there to hold secrets (`.env`, `*.pem`, `id_rsa`, …); `path` may use / or \\."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts:
        return False
    name = parts[-1]
    if _HARMLESS_NAME.fullmatch(name):
        return False
    if len(parts) > 1 and name.lower() in _SECRET_FOLDER.get(parts[-2].lower(), ()):
        return True
    return _SECRET_NAME.fullmatch(name) is not None
