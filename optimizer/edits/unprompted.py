"""Files that a program acts on without being asked: known by families, by their folder, and by what changes in them.

The rule: it is enough that somebody clones, opens, enters, installs, commits or pushes the repository. What acts only
when the project itself is built, tested or started (`Makefile`, `setup.py`, `build.rs`, `Dockerfile`, `conftest.py`)
does not count, and neither does what only shapes text (`.editorconfig`, `.gitignore`, `.gitattributes`, linters).
"""

from __future__ import annotations

import fnmatch
import json
import re
import unicodedata
from functools import cache
from typing import Any

from optimizer.types import FileChange

# What acts, and patterns of paths in lower case, below any folder; `*` also matches `/`.
_FAMILIES = {
    "CI": (
        ".github/* .gitlab/* .gitlab-ci* .gitea/* .forgejo/* .circleci/* .woodpecker* .drone* .buildkite/* .semaphore/*"
        " .teamcity/* .tekton/* .builds/* .build.yml .azure* azure-pipelines* *.azure-pipelines.y*ml jenkinsfile*"
        " *.jenkinsfile bitbucket-pipelines* .bitbucket/* appveyor* .appveyor* .travis* .cirrus* cloudbuild* buildspec*"
        " .codefresh* codefresh.y*ml .codebuild/* wercker.y*ml .zuul* zuul.d/* .jitpack.y*ml jitpack.y*ml bitrise.y*ml"
        " codemagic.y*ml screwdriver.y*ml .scrutinizer.y*ml .harness/* .ci/*"
    ),
    "the host": (
        ".readthedocs* readthedocs.y*ml netlify.toml .netlify/* vercel.json now.json .vercel/* render.y*ml heroku.yml"
        " procfile fly.toml .platform* .upsun/* amplify.y*ml .do/* wrangler.toml wrangler.json* railway.*"
        " nixpacks.toml .ebextensions/* .elasticbeanstalk/* renovate.json* .renovaterc* .dependabot/* .mergify*"
    ),
    "git's hooks": (
        ".husky/* .huskyrc* .githooks/* .git-hooks/* .git_hooks/* githooks/* .hooks/* lefthook* .lefthook* .pre-commit*"
        " .overcommit* .lintstaged* lint-staged.config.* .simple-git-hooks* simple-git-hooks.* .commitlintrc*"
        " commitlint.config.* captainhook.json .captainhook* grumphp.y*ml* .cargo-husky/* .rusty-hook.toml .hk/* hk.pkl"
        " prek.toml .yorkie/*"
    ),
    "git": ".gitmodules .gitconfig .hg/* .hgrc .svn/* .jj/* .bzr/*",
    "the editor": (
        ".vscode*/* .idea/* .run/* .fleet/* .zed/* .vs/* .nova/* .helix/* .vim/* .nvim/* .vimrc .nvimrc .gvimrc"
        " _vimrc .exrc .nvim.lua .lvimrc .lazy.lua .local.vimrc .vimspector.json .ycm_extra_conf.py .luarc.json*"
        " .neoconf.json .emacs .emacs.d/* .dir-locals*.el *.code-workspace *.sublime-project *.sublime-settings"
        " .kateproject* .nbrc .jupyter/* .ipython/* .replit* replit.nix .stackblitz* .codesandbox/* .gitpod* .theia*"
        " .coder/* .devfile.y*ml devfile.y*ml .clangd .project .cproject .settings/* nbproject/*"
    ),
    "a container": ".devcontainer* .devcontainer/* *.devcontainer.json devcontainer.json .devbox/* devbox.json",
    "a coding assistant": (
        ".claude* claude.md claude.local.md .mcp* mcp.json mcp_config.json .cursor* .windsurf* .codeium/* .continue*"
        " .aider* .gemini* gemini.md .codex* .roo* .cline* .kilocode* .kiro/* .amazonq/* .augment* .junie/*"
        " .opencode* opencode.json* .crush* crush.json .goose* .trae/* .qwen* qwen.md .factory/* .devin/* .agent*/*"
        " agents.md agent.md agents.override.md .openhands/* .serena/* .copilot* copilot-instructions.md .sourcegraph/*"
        " .sourcery.y*ml .coderabbit.y*ml .tabnine* .cody/* .rules .ruler/*"
        " skill.md *.prompt.md *.chatmode.md *.instructions.md *.agent.md .forge*"
    ),
    "the shell": (
        ".envrc* .direnv/* .direnvrc .autoenv* .autoswitch* mise*.toml .mise* .config/mise* .rtx* .tool-versions"
        " .bashrc .bash_* .bash-* .zshrc .zshenv .zprofile .zlogin .profile .kshrc .cshrc .tcshrc .login .inputrc"
        " .config/fish/* .tmux.conf .screenrc .vagrant/* .asdfrc .ondir* .smartcd/* .shadowenv.d/*"
    ),
    "the package manager": (
        ".yarnrc* .yarn/releases/* .yarn/plugins/* .yarn/sdks/* .pnpmfile.* pnpmfile.* .pnp.* bunfig.toml"
        " pip.conf pip.ini .pip/* uv.toml .config/pip/* .gemrc .bundle/* .condarc .npm/* nuget.config .cargo/*"
        " rust-toolchain* .pdm.toml .pdm-python poetry.toml .swiftpm/* .corepack* .bowerrc .cocoapods/* .mvn/* gradlew*"
        " mvnw* gradle/wrapper/* .gradle/* init.gradle* .sbtopts .jvmopts .bazelrc* *.bazelrc .bazelversion"
        " bazelisk* .buckconfig* .pants.rc .bsp/*"
    ),
    "the interpreter": (
        "sitecustomize.py usercustomize.py *.pth .pythonrc* .pythonstartup .pdbrc* .irbrc .pryrc .rprofile* .renviron*"
        " renv/activate.r .octaverc startup.m .ghci .iex.exs .php.ini .user.ini .htaccess .psqlrc .sqliterc"
        " .node_repl* .noderc .julia/*"
    ),
    "the debugger": ".gdbinit* .lldbinit* .gdb/* *-gdb.py *-gdb.gdb *-gdb.scm .radare2rc",
    "optimizer": ".optimizer.toml .optimizerignore .codeiumignore",
}
# Below a folder whose settings act: texts for people, and what the folder only stores.
_FOR_PEOPLE = (
    ".github/issue_template* .github/pull_request_template* .github/discussion_template/* .github/*.png .github/*.svg"
    " .github/*.gif .github/*.jpg .github/*.jpeg .github/*.webp .github/funding.yml .github/release.yml"
    " .github/security.md .github/contributing.md .github/code_of_conduct.md .github/support.md .github/readme*.md"
    " .github/governance.md .github/changelog.md .gitlab/issue_templates/* .gitlab/merge_request_templates/*"
    " .gitea/issue_template* .gitea/pull_request_template* .forgejo/issue_template* .forgejo/pull_request_template*"
)
# Folders of no known program whose name begins with a dot, and that are known to act on nothing.
_QUIET_FOLDERS = (
    ". .. .change* .chronus .storybook .well-known .reuse .yarn .docs .assets .images .release* .template* .licenses"
    " .towncrier .news .unreleased .test* .snapshots"
)
_NPM_KEYS = ("husky", "lint-staged", "simple-git-hooks", "gitHooks", "pre-commit", "pre-push", "packageManager", "pnpm")
_NPM_SCRIPTS = re.compile(r"(?:pre|post).+|install|prepare|prepublish\w*|uninstall|dependencies", re.IGNORECASE)
_PHP_SCRIPTS = re.compile(r"(?:pre|post)-.+|command", re.IGNORECASE)


def acts_on(change: FileChange) -> str:
    """What acts on a changed file without being asked (CI, git's hooks, the editor, …); '' for most files.

    Of the manifest of a package, only a change of the scripts counts that are run when it is installed, and of the
    hooks that it sets. A hidden folder counts unless it is known to act on nothing.
    """
    if program := taken_up_by(change.path):
        return program
    return "the package manager" if _own_scripts(change) else ""


def taken_up_by(path: str) -> str:
    """The same by a file's path alone."""
    folded = unicodedata.normalize("NFKC", path).casefold()
    if _pattern(_FOR_PEOPLE).fullmatch(folded):
        return ""
    for program, patterns in _FAMILIES.items():
        if _pattern(patterns).fullmatch(folded):
            return program
    quiet = _pattern(_QUIET_FOLDERS)
    hidden = (part for part in folded.split("/")[:-1] if part.startswith(".") and not quiet.fullmatch(part))
    return f"the program that {name} belongs to" if (name := next(hidden, "")) else ""


@cache
def _pattern(patterns: str) -> re.Pattern[str]:
    return re.compile("(?:.*/)?(?:" + "|".join(map(fnmatch.translate, patterns.split())) + ")", re.DOTALL)


def _own_scripts(change: FileChange) -> bool:
    """Whether a manifest changes in what a package manager runs by itself, or cannot be read."""
    name = change.path.rpartition("/")[2].casefold()
    if name not in ("package.json", "composer.json"):
        return False
    try:
        return _run_unasked(name, change.before) != _run_unasked(name, change.after)
    except (ValueError, RecursionError):
        return True


def _run_unasked(name: str, data: bytes | None) -> dict[str, Any]:
    """The entries of a manifest that a package manager or a hook runs by itself; raises ValueError."""
    given = json.loads(data.decode("utf-8-sig")) if data and data.strip() else {}
    if not isinstance(given, dict):
        raise ValueError(f"{name} holds no object")
    scripts = given.get("scripts") or {}
    known, keys = (_NPM_SCRIPTS, _NPM_KEYS) if name == "package.json" else (_PHP_SCRIPTS, ())
    found = {key: given[key] for key in keys if key in given}
    if isinstance(scripts, dict):
        return found | {f"scripts.{key}": value for key, value in scripts.items() if known.fullmatch(key)}
    return found | {"scripts": scripts}
