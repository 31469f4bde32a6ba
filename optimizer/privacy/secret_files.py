"""Know by name the files that are there to hold secrets, by families of names: whatever copies of them are called."""

from __future__ import annotations

import re

_STORED = "json|ya?ml|toml|ini|env|properties|txt|enc|xml|csv|db|conf|cfg|plist|xlsx?"
_ENVIRONMENTS = "prod(?:uction)?|live|dev(?:elopment|el)?|stag(?:e|ing)|test(?:ing)?|qa|ci|uat|local|private|secrets?"
_SECRET_NAME = re.compile(
    rf"""
    \.env(?:rc|ironment)? | \.env[._-].+ | .+\.env(?:[._-](?:{_ENVIRONMENTS}))? | env[._-](?:{_ENVIRONMENTS})
    | \.flaskenv
    | \.renviron
    | .+\.(?:pem|key|p12|pfx|p8|pkcs8|pkcs12|pvk|jks|jceks|bks|keystore|truststore|kdbx?|ppk|asc|gpg|agekey|ovpn|keytab
        |keychain(?:-db)?|kubeconfig|mobileconfig)
    | .+\.tfstate(?:\..+)? | .+\.auto\.tfvars(?:\.json)? | (?:terraform|.*secrets?.*)\.tfvars(?:\.json)?
    | (?:.+[._-])?(?:id|identity)_?(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:[._-]?(?!pub$)[\w-]+)?
    | [._]netrc | \.pgpass | pgpass\.conf | \.my(?:login)?\.cnf | \.npmrc | \.yarnrc\.yml | \.pypirc
    | \.git-?credentials
    | \.gitcookies | \.docker(?:cfg|configjson) | \.?htpasswd | \.?htdigest | g?shadow | \.s3cfg | \.boto
    | \.rclone\.conf
    | rclone\.conf | \.terraformrc | credentials\.tfrc\.json | \.vault-token | \.?vault[_-]?pass(?:word)?(?:\.txt)?
    | master\.key | \.(?:wget|curl)rc | \.(?:smb|cifs)credentials? | wg\d+\.conf | krb5cc_.+ | wallet\.dat | secring\..+
    | sftp-config\.json | \.ftpconfig | \.remote-sync\.json | local\.settings\.json | auth\.json
    | cookies\.(?:txt|sqlite)
    | \.[\w.-]*token | \.(?:[\w-]*history|histfile|lesshst|viminfo|dbshell) | fish_history | consolehost_history\.txt
    | kube_?config(?:[._-].+)? | (?:.+[._-])kube_?config
    | (?:.+[._-])?credentials?(?:[._-](?:{_ENVIRONMENTS}))?(?:\.(?:{_STORED}))?
    | client_secrets?.*\.json | application_default_credentials\.json | .*service[-_]?account.*\.json
    | .*-firebase-adminsdk-.*\.json | gha-creds-.*\.json
    | \.secrets? | (?:.+[._-])?secrets?\.(?:{_STORED})
    | (?:.+[._-])?(?:passwords?|passwd|api[_-]?keys?)(?:\.(?:{_STORED}))
    """,
    re.VERBOSE | re.IGNORECASE,
)
# each name above has one of these in it: other names, which most are, need no further look
_HINTS = [
    "env",
    "key",
    "pem",
    "p12",
    "pfx",
    "p8",
    "pkcs",
    "pvk",
    "jks",
    "jceks",
    "bks",
    "store",
    "kdb",
    "ppk",
    "asc",
    "gpg",
    "ovpn",
    "mobileconfig",
    "kube",
    "tfstate",
    "tfvars",
    "rsa",
    "dsa",
    "25519",
    "rc",
    "cnf",
    "pass",
    "cred",
    "git",
    "docker",
    "htdig",
    "shadow",
    "cfg",
    "boto",
    "token",
    "wg",
    "krb5",
    "wallet",
    "sec",
    "ftp",
    "remote",
    "settings",
    "auth",
    "cookies",
    "hist",
    "hst",
    "viminfo",
    "dbshell",
    "account",
    "vault",
]
_CODE = re.compile(
    r".*\.(?:py[iwx]?|[cm]?[jt]sx?|go|rs|rb|php|java|kt|cs?|cc|cpp|hh?|hpp|swift|scala|sh|bash|ps1"
    r"|lua|exs?|erl|md|rst|adoc"
    r"|html?|css|scss|sql|vue|svelte|graphql|proto|tf|d\.ts|lock|svg|png)",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(
    r".*[._-](?:example|sample|template|tmpl|tpl|dist|default|defaults|schema|skel(?:eton)?)(?:\.[a-z]{1,10})?|.*\.pub",
    re.IGNORECASE,
)
# what editors, backups, copies and package managers add to a name
_ADDED = re.compile(
    r"(?:~+|\.~\d+~|\#|[._ -](?:bak|bkp|back-?up|old|orig(?:inal)?|saved?|copy|kopie|prev(?:ious)?"
    r"|te?mp|sw[nopx]|rej|part"
    r"|dpkg-(?:old|new)|rpm(?:save|new|orig)|disabled|off|v?\d{1,14})\d{0,8}|[ _-]?\(\d+\)|[._-]\d{4}-\d\d-\d\d.*"
    r"|\.(?:gz|bz2|xz|zst|zip|7z|tar|tgz))$",
    re.IGNORECASE,
)
_AHEAD = re.compile(r"(?:\.?\#|copy of |backup[ ._-](?:of )?|bak[._-]|old[._-])", re.IGNORECASE)
_SWAPPED = re.compile(r"\.(.+)\.sw[nopx]", re.IGNORECASE)
# folders in which every file is one, but for public keys, and folders with files of some names
_WHOLE_FOLDERS = {".ssh", ".aws", ".gnupg", ".password-store", ".oci", "gcloud", ".gsutil"}
_SECRET_FOLDER = {
    ".docker": {"config.json"},
    ".kube": {"config"},
    ".cargo": {"credentials", "credentials.toml"},
    ".gem": {"credentials"},
    ".m2": {"settings.xml", "settings-security.xml"},
    ".gradle": {"gradle.properties"},
    ".azure": {"accesstokens.json", "azureprofile.json", "msal_token_cache.json", "msal_token_cache.bin"},
    "gh": {"hosts.yml"},
    "hub": {"config"},
}


def is_secret_file(path: str) -> bool:
    """Whether a file of this name is there to hold secrets (`.env`, `*.pem`, `id_rsa`, …), or is a copy of such a one.

    `path` may use / or \\.
    """
    parts = [part.lower() for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts:
        return False
    folders, name = parts[:-1], parts[-1]
    ordinary = _WHOLE_FOLDERS.isdisjoint(folders) and (not folders or folders[-1] not in _SECRET_FOLDER)
    if ordinary and not any(hint in name for hint in _HINTS):
        return False
    names = _originals(name)
    if any(_HARMLESS_NAME.fullmatch(one) for one in names):
        return False
    return any(_is_secret(folders, one) for one in names)


def _is_secret(folders: list[str], name: str) -> bool:
    if not _WHOLE_FOLDERS.isdisjoint(folders):
        return not _CODE.fullmatch(name)
    if folders and name in _SECRET_FOLDER.get(folders[-1], ()):
        return True
    if not _SECRET_NAME.fullmatch(name):
        return False
    return not _CODE.fullmatch(name) or name.startswith(".env")


def _originals(name: str) -> list[str]:
    """The name, and what it may be a copy of."""
    found = [name]
    if swapped := _SWAPPED.fullmatch(name):
        found.append(swapped[1])
    while True:
        bare = _AHEAD.sub("", name, count=1) if _AHEAD.match(name) else _ADDED.sub("", name)
        if bare in ("", name):
            return found
        found.append(name := bare)
