"""Which files something acts on without being asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from optimizer.edits.unprompted import acts_on, taken_up_by
from optimizer.types import FileChange

ACT = {
    "CI": """.github/workflows/ci.yml sub/.GitHub/Workflows/ci.yml .github/actions/a/action.yml .github/dependabot.yml
        .gitlab-ci.yml .gitlab-ci/lint.yml .gitea/workflows/a.yml .forgejo/workflows/a.yaml .circleci/config.yml
        .woodpecker.yml .woodpecker/build.yaml .drone.yml .drone.star .buildkite/pipeline.yml azure-pipelines.yml
        azure-pipelines-pr.yml Jenkinsfile Jenkinsfile.release bitbucket-pipelines.yml appveyor.yml .appveyor.yml
        .travis.yml .cirrus.yml .semaphore/semaphore.yml .teamcity/settings.kts cloudbuild.yaml .builds/a.yml""",
    "git's hooks": """.husky/pre-commit .githooks/pre-push .git-hooks/post-merge lefthook.yml lefthook-local.yml
        .lefthook.toml .lefthook/pre-commit/a.sh .pre-commit-config.yaml .pre-commit-hooks.yaml .overcommit.yml
        .lintstagedrc.json .simple-git-hooks.json""",
    "git": ".gitmodules .hg/hgrc",
    "the editor": """.vscode/settings.json .vscode/tasks.json .idea/workspace.xml .fleet/run.json .zed/tasks.json
        .vim/vimrc .nvim/init.lua .nvim.lua .exrc .vimrc .lvimrc .dir-locals.el a.code-workspace a.sublime-project
        .vs/tasks.vs.json .helix/languages.toml .gitpod.yml .ｖscode/settings.json""",
    "a container": ".devcontainer.json .devcontainer/devcontainer.json .devcontainer/sub/Dockerfile devbox.json",
    "a coding assistant": """.claude/settings.json .claude/hooks/a.sh CLAUDE.md .mcp.json .cursor/mcp.json
        .cursor/rules/a.mdc .cursorrules .windsurf/rules/a.md .windsurfrules .continue/config.yaml .continuerc.json
        .aider.conf.yml .gemini/settings.json GEMINI.md .codex/config.toml .roo/mcp.json .roomodes .clinerules
        .clinerules/a.md AGENTS.md deep/AGENTS.md .agents/skills/x/SKILL.md .kiro/hooks/a.json .opencode/agent/a.md
        opencode.json .amazonq/rules/a.md .junie/guidelines.md""",
    "the shell": ".envrc .mise.toml mise.toml .tool-versions .bashrc .autoenv.zsh",
    "the package manager": """.yarnrc .yarnrc.yml .yarn/releases/yarn-4.cjs .pnpmfile.cjs bunfig.toml .cargo/config.toml
        gradle/wrapper/gradle-wrapper.properties gradlew .mvn/extensions.xml .mvn/jvm.config mvnw .bazelrc pip.conf""",
    "the interpreter": "sitecustomize.py src/usercustomize.py a.pth .Rprofile .irbrc .pryrc .pdbrc",
    "the debugger": ".gdbinit .lldbinit lib-gdb.py",
    "the host": ".readthedocs.yaml netlify.toml vercel.json Procfile",
    "optimizer": ".optimizer.toml .optimizerignore .codeiumignore",
    "the program that .unknown belongs to": ".unknown/run.toml a/.unknown/b/c.py",
}
QUIET = """.github/ISSUE_TEMPLATE/bug.md .github/PULL_REQUEST_TEMPLATE.md .github/FUNDING.yml src/a.py
    vscode/settings.json .editorconfig .gitignore .gitattributes .eslintrc.json .prettierrc .flake8 .dockerignore
    Makefile setup.py pyproject.toml conftest.py build.rs Dockerfile docker-compose.yml README.md docs/agents.rst
    claude.py gemini/client.go cursor.ts .changeset/quick-cats.md .storybook/main.ts tests/jenkins.py CONTRIBUTING.md
    composer.lock package-lock.json Cargo.toml go.mod tsconfig.json editor/vim.lua src/mcp.py"""


@pytest.mark.parametrize(("path", "program"), [(path, who) for who, paths in ACT.items() for path in paths.split()])
def test_a_file_of_a_family_is_acted_on(path: str, program: str) -> None:
    assert taken_up_by(path) == program
    assert taken_up_by(f"packages/one/{path}") == program


@pytest.mark.parametrize("path", QUIET.split())
def test_other_files_wait_to_be_used(path: str) -> None:
    assert taken_up_by(path) == ""
    assert taken_up_by(f"packages/one/{path}") == ""


def manifest(name: str, before: Any, after: Any) -> str:
    sides = (
        None if one is None else one if isinstance(one, bytes) else json.dumps(one).encode() for one in (before, after)
    )
    return acts_on(FileChange(name, *sides))


PLAIN = {"name": "a", "version": "1.0.0", "scripts": {"test": "jest", "build": "tsc"}}


@pytest.mark.parametrize(
    "script", ["preinstall", "install", "postinstall", "prepare", "prepublishOnly", "pretest", "postbuild"]
)
def test_scripts_that_run_by_themselves_count(script: str) -> None:
    own = PLAIN | {"scripts": {**PLAIN["scripts"], script: "node a.js"}}  # type: ignore[dict-item]
    for before, after in ((PLAIN, own), (None, own), (own, PLAIN)):
        assert manifest("web/package.json", before, after) == "the package manager"
    assert manifest("package.json", own, own | {"version": "1.0.1"}) == ""


@pytest.mark.parametrize(
    "after",
    [
        PLAIN | {"version": "2.0.0", "dependencies": {"left-pad": "1"}},
        PLAIN | {"scripts": {"test": "vitest", "lint": "eslint ."}},
    ],
)
def test_other_changes_of_a_manifest_do_not(after: Any) -> None:
    assert manifest("package.json", PLAIN, after) == manifest("package.json", None, after) == ""


def test_hooks_of_a_manifest_count_and_what_cannot_be_read_does() -> None:
    assert manifest("package.json", PLAIN, PLAIN | {"husky": {"hooks": {}}}) == "the package manager"
    assert manifest("package.json", PLAIN, b"{") == "the package manager"
    assert manifest("package.json", PLAIN, b'{"scripts": {"test": "jest"}, "scripts": {"install": "x"}}')
    assert manifest("composer.json", {}, {"scripts": {"post-install-cmd": "x"}}) == "the package manager"
    assert manifest("composer.json", {}, {"scripts": {"test": "phpunit"}}) == ""
