"""Where tool chains and their caches lie on a machine: what a command may read besides its copy."""

# ruff: noqa: PTH110, PTH112, PTH113, PTH120  # pathlib's questions raise where a folder may not be read

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from optimizer.privacy.secret_files import is_secret_file

SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
    "/run/current-system/sw", "/home/linuxbrew/.linuxbrew", "/sys/devices/system/cpu",
    "/System/Library", "/System/iOSSupport", "/System/Cryptexes", "/System/Volumes/Preboot/Cryptexes",
    "/Library/Apple", "/Library/Developer", "/Library/Frameworks", "/Library/Java",
    "/Applications/Xcode.app/Contents/Developer", "/opt/homebrew",
    "/private/var/select", "/private/var/db/timezone", "/private/var/db/xcode_select_link",
)  # fmt: skip
"""The folders of programs and libraries on Linux and on macOS; of its /System, Volumes holds the homes."""
_PREFIXES = ("/usr", "/usr/local")
_SOURCES = ("gmock", "googletest", "gtest", "rustc-*")
"""What of the folders `src` in a prefix is needed: libraries and standard libraries that are built from there."""
SETTINGS = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version",
    "fonts", "group", "host.conf", "hosts", "java", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "locale.alias", "localtime", "login.defs", "lsb-release", "magic", "mime.types", "mke2fs.conf", "nsswitch.conf",
    "os-release", "passwd", "perl", "pki/ca-trust", "pki/java", "pki/tls/certs",
    "protocols", "python3", "redhat-release", "services", "shells", "ssl/certs", "ssl/openssl.cnf", "system-release",
    "timezone", "xml",
)  # fmt: skip
"""What of /etc a program needs; nothing that holds passwords."""
_SYSTEM_SETTINGS = ("java-*", "php.ini", "php.d", "php/*/cli", "php/*/mods-available", "python3*")


class Kind(NamedTuple):
    """A tool that keeps what it installs below a folder: the variable that names it, its place below the home.

    `parts` are the folders in it that hold programs and packages; others may hold keys.
    """

    variable: str
    folder: str
    parts: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "pyenv": Kind("PYENV_ROOT", ".pyenv", ("bin", "libexec", "pyenv.d", "shims", "versions", "version")),
    "conda": Kind("CONDA_ROOT", "miniconda3", ("bin", "condabin", "envs", "lib", "pkgs", "share")),
    "python": Kind("PYTHONUSERBASE", ".local", ("bin", "lib")),
    "uv": Kind("UV_DATA_DIR", ".local/share/uv", ("python", "tools")),
    "pipx": Kind("PIPX_HOME", ".local/share/pipx", ("shared", "venvs")),
    "rustup": Kind("RUSTUP_HOME", ".rustup", ("settings.toml", "toolchains", "update-hashes")),
    "cargo": Kind("CARGO_HOME", ".cargo", ("bin", "git", "registry")),
    "go": Kind("GOPATH", "go", ("bin", "pkg/mod")),
    "node": Kind("NVM_DIR", ".nvm", ("versions",)),
    "fnm": Kind("FNM_DIR", ".local/share/fnm", ("node-versions", "aliases")),
    "volta": Kind("VOLTA_HOME", ".volta", ("bin", "tools")),
    "pnpm": Kind("PNPM_HOME", ".local/share/pnpm", ("store", "global")),
    "bun": Kind("BUN_INSTALL", ".bun", ("bin",)),
    "deno": Kind("DENO_INSTALL", ".deno", ("bin",)),
    "java": Kind("SDKMAN_DIR", ".sdkman", ("candidates",)),
    "jdks": Kind("JDKS_DIR", ".jdks", ("",)),
    "maven": Kind("", ".m2", ("repository", "wrapper")),
    "gradle": Kind("GRADLE_USER_HOME", ".gradle", ("caches/modules-2", "wrapper")),
    "rbenv": Kind("RBENV_ROOT", ".rbenv", ("bin", "libexec", "shims", "versions", "version")),
    "gem": Kind("", ".gem", ("ruby",)),
    "composer": Kind("COMPOSER_HOME", ".composer", ("vendor",)),
    "asdf": Kind("ASDF_DATA_DIR", ".asdf", ("bin", "installs", "lib", "shims")),
    "mise": Kind("MISE_DATA_DIR", ".local/share/mise", ("installs", "shims")),
    "dotnet": Kind("DOTNET_ROOT", ".dotnet", ("host", "sdk", "shared", "dotnet")),
    "nuget": Kind("NUGET_PACKAGES", ".nuget", ("packages",)),
}
IN_HOME = ("cargo", "maven", "gradle", "gem", "composer", "nuget")
"""Kinds that look for their packages below the home, and so are shown in that of the command too."""
_VARIABLES = ("JAVA_HOME", "GOROOT", "GOMODCACHE")
_LONGEST_SCRIPT = 4096
_PATH = re.compile(rb"/[\w.+@-]+(?:/[\w.+@-]+)+")
_OF_PROGRAMS = ("bin", "sbin", "Scripts", "condabin")
_PARTS_OF_PREFIX = ("bin", "include", "lib", "libexec")


def installed(home: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """The folders and files of the system and of known tools that are there."""
    yield from (path for folder in SYSTEM if os.path.lexists(folder) for path in _of_system(Path(folder)))
    settings = Path("/etc")
    yield from (path for name in SETTINGS if os.path.lexists(path := settings / name))
    yield from (path for pattern in _SYSTEM_SETTINGS for path in settings.glob(pattern))
    for name in KINDS:
        yield from (path for _, path in parts(name, home, env))
    yield from (Path(env[name]) for name in _VARIABLES if Path(env.get(name, "")).is_absolute())


def is_of_system(path: str) -> bool:
    """Whether a path is one of those that `installed` takes of the system."""
    return path in SYSTEM or os.path.dirname(path) in _PREFIXES


def _of_system(folder: Path) -> Iterator[Path]:
    """A folder, but of a prefix of the system the folders in it, without sources that no tool chain needs."""
    if str(folder) not in _PREFIXES:
        yield folder
        return
    for path in folder.iterdir():
        if path.name == "src":
            yield from (found for pattern in _SOURCES for found in path.glob(pattern))
        else:
            yield from _of_system(path)


def parts(name: str, home: Path, env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """What of a kind is there to be read: each part, and where it is."""
    kind = KINDS[name]
    named = env.get(kind.variable, "").partition(os.pathsep)[0]
    folder = Path(named) if Path(named).is_absolute() else home / kind.folder
    yield from _parts_in(folder, kind)


def _parts_in(folder: Path, kind: Kind) -> Iterator[tuple[str, Path]]:
    return ((part, path) for part in kind.parts if os.path.exists(path := folder / part))


def prefix(folder: Path, home: Path) -> Iterator[Path]:
    """What belongs to the programs in a folder: the tree that they were installed into.

    A folder directly in the home, such as ~/.tool/bin, may have keys next to it: of those only libraries are given, and
    so of a repository and of what holds a secret file. Of such a folder itself, only the programs are.
    """
    real = Path(os.path.realpath(folder))
    above = real.parent
    kind = next((one for one in KINDS.values() if one.folder == above.name and above.name.startswith(".")), None)
    if kind is not None:
        yield from (path for _, path in _parts_in(above, kind))
    elif real.name not in _OF_PROGRAMS or home.is_relative_to(above) or above == Path("/"):
        yield from (filter(_is_program, real.iterdir()) if _is_private(real) else (real,))
    elif above.parent == home or above.is_relative_to(home / ".config") or _is_private(above):
        yield from (path for name in _PARTS_OF_PREFIX if os.path.isdir(path := above / name))
    else:
        yield from _of_system(above)
    yield from _base(above)


def led_to(program: Path, home: Path) -> Iterator[Path]:
    """What belongs to a program that a link or a script of the user leads to: below the home it may lie among keys."""
    if os.path.isdir(program) or (program.parent.name not in _OF_PROGRAMS and program.is_relative_to(home)):
        yield from (program,) if os.path.isfile(program) else ()
    else:
        yield from prefix(program.parent, home)


def _is_private(folder: Path) -> bool:
    """Whether a folder is a repository, or holds a file that is known by its name to be secret."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return False
    return any(name == ".git" or is_secret_file(name) for name in names)


def _is_program(path: Path) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def started_by(program: str) -> Iterator[str]:
    """The programs that a script of the user starts, as far as it names them with their paths."""
    try:
        with Path(program).open("rb") as file:
            start = file.read(_LONGEST_SCRIPT)
    except OSError:
        return
    for path in _PATH.findall(start) if start.startswith(b"#!") else ():
        named = path.decode()
        if os.path.isfile(named) and os.access(named, os.X_OK):
            yield named


def _base(environment: Path) -> Iterator[Path]:
    """The installation that a virtual environment of Python was made from."""
    try:
        lines = (environment / "pyvenv.cfg").read_text(errors="replace").splitlines()
    except OSError:
        return
    for name, _, value in (line.partition("=") for line in lines):
        if name.strip() == "home" and Path(value.strip()).is_absolute():
            home = Path(os.path.realpath(value.strip()))
            if not any(_is_program(home / program) for program in ("python", "python3", "pypy3")):
                return
            yield home.parent if home.name == "bin" and home.parent != Path("/") else home
