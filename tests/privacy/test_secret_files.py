"""Which file names are taken to hold secrets."""

import pytest

from optimizer.privacy.secret_files import is_secret_file


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "app/.env.production",
        ".env.local",
        "prod.env",
        ".envrc",
        "certs/server.pem",
        "server.KEY",
        "a.p12",
        "a.pfx",
        "release.jks",
        "debug.keystore",
        "id_rsa",
        ".ssh/id_ed25519",
        "deploy_id_rsa",
        ".netrc",
        "_netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
        "credentials.json",
        "config/credentials.yml",
        "service-account.json",
        "my-service-account-prod.json",
        "service_account_key.json",
        ".aws/credentials",
        "home\\.aws\\credentials",
        ".git-credentials",
        "infra/prod.tfstate",
        "infra/prod.tfstate.backup",
        "secrets.yaml",
        "k8s/secrets.yml",
        "app-secrets.json",
        ".kube/config",
        "client_secret_1234.json",
        "terraform.tfvars",
    ],
)
def test_a_file_that_holds_secrets_is_known_by_its_name(path: str) -> None:
    assert is_secret_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".env.example",
        ".env.sample",
        ".env.template",
        "env.py",
        "environment.ts",
        "secrets.py",
        "optimizer/privacy/secrets.py",
        "src/credentials.go",
        "id_rsa.pub",
        "keys.py",
        "key.ts",
        "credentials.example.json",
        "docs/secrets.md",
        "config",
        "pem/reader.c",
        "package.json",
        "tsconfig.json",
        "account.json",
        "config/config.json",
    ],
)
def test_code_and_examples_are_not_taken_for_secrets(path: str) -> None:
    assert not is_secret_file(path)


COPIES = (
    ".env-prod",
    ".env_prod",
    ".env~",
    "id_rsa.bak",
    ".ssh/id_custom",
    ".bash_history",
    "kubeconfig",
    ".git-credentials.bak",
    ".env.bak",
    ".env.old",
    ".env.local.swp",
    ".#.env",
    "#.env#",
    ".env.2024-01-01",
    ".env.backup.gz",
    "env.production",
    "env-prod",
    ".envrc~",
    "id_ed25519_work",
    "id_rsa.old",
    "deploy_id_rsa.bak",
    ".ssh/config",
    ".ssh/deploy/github",
    ".npmrc.bak",
    ".netrc.save",
    ".pgpass~",
    "credentials.json.bak",
    "credentials-prod.json",
    "prod-credentials.yml",
    ".aws/sso/cache/x.json",
    "kubeconfig.yaml",
    "kubeconfig-prod",
    "prod.kubeconfig",
    ".kube/config.bak",
    ".docker/config.json~",
    ".zsh_history",
    ".psql_history",
    ".python_history",
    ".mysql_history",
    ".id_rsa.swp",
    "server.key.orig",
    "server.pem.1",
    "secrets.yaml.bak",
    ".secrets",
    "passwords.txt",
    "api_keys.json",
    "terraform.tfstate.backup",
    "prod.tfstate.123.backup",
    ".github_token",
    ".pypirc.old",
    ".htpasswd",
    ".vault_pass",
    ".vault-token",
    "wg0.conf",
    ".env.production.local",
    ".config/gcloud/credentials.db",
    ".config/gh/hosts.yml",
    ".gnupg/secring.gpg",
    "id_rsa.copy",
    "id_rsa copy",
    ".env (1)",
    "Copy of .env",
    ".env copy 2",
)
OTHERS = (
    ".env.dist",
    ".env.example~",
    ".ssh/id_rsa.pub",
    "history.py",
    "src/history",
    "kubeconfig.go",
    "kubeconfig_test.go",
    "vite-env.d.ts",
    "env.d.ts",
    "env.test.ts",
    "tokens.json",
    "token.py",
    "auth.py",
    "id_rsa_test.go",
    "README.old",
    "Makefile.bak",
    "password.ts",
    "passwords.py",
    "gh/main.go",
    "hub/config.py",
    "environment.yml",
    ".envs/README.md",
    "docs/id_rsa.md",
    ".gitignore",
    ".editorconfig",
    "shadow.css",
    "history.txt",
)


@pytest.mark.parametrize("path", COPIES)
def test_copies_environments_and_relatives_are_known(path: str) -> None:
    assert is_secret_file(path)
    assert is_secret_file(f"some/where/{path}") and is_secret_file(path.upper())


@pytest.mark.parametrize("path", OTHERS)
def test_what_only_sounds_like_secrets_is_none(path: str) -> None:
    assert not is_secret_file(path)


@pytest.mark.parametrize(
    "base", [".env", "id_rsa", "server.pem", ".npmrc", "credentials.json", ".pgpass", "kubeconfig"]
)
@pytest.mark.parametrize(
    "added", ["~", ".bak", ".bak2", ".old", ".orig", ".save", ".1", ".20240102", " copy", " (2)", ".swp", ".gz"]
)
def test_every_copy_of_a_secret_file_is_one(base: str, added: str) -> None:
    assert is_secret_file(base + added)
    assert not is_secret_file("README" + added) and not is_secret_file(".env.example" + added)
