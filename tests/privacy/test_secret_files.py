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
