"""Which paths an edit may touch: plain names of regular files in the repository, never git's own or secrets."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from optimizer.edits.folder import current
from optimizer.edits.text import MAX_BYTES
from optimizer.errors import OptimizerError, SafetyRefused, StorageError
from optimizer.git_folders import is_git_folder, named_folders
from optimizer.privacy.secret_files import is_secret_file
from optimizer.types import Patch

MAX_PATH = 4096
MAX_NAME = 255
_DRIVE = re.compile(r"[A-Za-z]:")
_SHORT_GIT = re.compile(r"git~\d+")
WITHIN = "name a file by its path from the top of the repository"


def check_path(path: str) -> str:
    """`path` relative, with forward slashes and without `.` or doubled slashes; raises SafetyRefused.

    Refused: absolute paths, `..`, `~`, drives, backslashes, control and invisible characters, names that end with a dot
    or space or are too long, everything in `.git` (also as other systems would spell it), and names of files with
    secrets (`.env`, keys, credentials; not `.env.example` and the like).
    """
    shown = repr(path[:120])
    if not path or len(path) > MAX_PATH:
        raise SafetyRefused(f"the path {shown} is {'empty' if not path else 'too long'}", WITHIN)
    if path.startswith(("/", "~")) or "\\" in path or _DRIVE.match(path):
        raise SafetyRefused(f"the path {shown} does not lie within the repository", WITHIN)
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in path):
        raise SafetyRefused(f"the path {shown} holds control characters", "give the file a readable name")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or path.endswith("/"):
        raise SafetyRefused(f"the path {shown} names a directory", "name a file")
    folded = [_checked_name(part, shown) for part in parts]
    if is_secret_file("/".join(folded)) or any(_is_environment(name) for name in folded):
        raise SafetyRefused(
            f"{shown} may hold secrets: it is neither read nor edited", "edit it yourself; .env.example would be fine"
        )
    return "/".join(parts)


def _checked_name(name: str, shown: str) -> str:
    """The name as the most forgiving file system would see it."""
    if name == "..":
        raise SafetyRefused(f"the path {shown} does not lie within the repository", WITHIN)
    if name != name.rstrip(". ") or len(os.fsencode(name)) > MAX_NAME:
        raise SafetyRefused(f"the path {shown} contains a name that not every system allows", "choose another name")
    folded = unicodedata.normalize("NFKC", name).casefold().partition(":")[0].rstrip(". ")
    if folded == ".git" or _SHORT_GIT.fullmatch(folded):
        raise SafetyRefused(f"{shown} belongs to git: it is never edited", "let git change it")
    return folded


def _is_environment(folded: str) -> bool:
    """Whether a file holds environment variables, by the start of its name; templates do not."""
    return folded.startswith(".env") and not (folded.startswith(".env.") and not is_secret_file(folded))


def resolve(root: Path, path: str) -> Path:
    """The real place of `path` under `root`: no symbolic link in it, a regular file or nothing yet.

    A link that stays within the repository is followed to its target. Raises SafetyRefused for links that lead out of
    the repository or nowhere; for what lies in a directory of git, whatever its name; for anything but a regular
    file; for a file in a repository within this one, such as a submodule; and for a name that differs from an existing
    one only in case; StorageError when the disk cannot be read.
    """
    relative = check_path(path)
    base = Path(os.path.realpath(root))
    place = base / relative
    try:
        real = Path(os.path.realpath(place, strict=os.path.lexists(place)))
        mode = os.lstat(real).st_mode if os.path.lexists(real) else None
    except OSError as error:
        raise _failed(path, error) from error
    if not real.is_relative_to(base) or real == base:
        raise SafetyRefused(f"{path} leads out of the repository through a symbolic link", "edit its target there")
    inside = real.relative_to(base).as_posix()
    if inside != relative:
        check_path(inside)
    _check_git(base, real)
    if mode is not None and not stat.S_ISREG(mode):
        raise SafetyRefused(f"{path} is {_kind(mode)}, not a regular file", "name a regular file")
    _check_folders(base, inside)
    return real


def _failed(path: str, error: OSError) -> OptimizerError:
    if error.errno in (errno.ELOOP, errno.ENOENT, errno.ENOTDIR):
        return SafetyRefused(f"{path} is a link that leads nowhere", "fix the link, or remove it")
    return StorageError(f"cannot look at {path}: {error.strerror}", "check the disk and its permissions")


def _kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "a directory", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
    return next((name for test, name in kinds.items() if test(mode)), "a device")


def _check_git(base: Path, real: Path) -> None:
    """Refuse what lies in a directory of git that has another name than `.git`."""
    gits = named_folders(base)
    for folder in real.parents:
        if folder in gits or is_git_folder(os.fsencode(folder)):
            shown = real.relative_to(base).as_posix()
            raise SafetyRefused(f"{shown} belongs to git: it is never edited", "let git change it")
        if folder == base:
            return


def _check_folders(base: Path, relative: str) -> None:
    """Check every directory on the path: no file in its place, no nested repository, no twin in another case."""
    place = base
    for name in relative.split("/"):
        try:
            names = [entry.name for entry in place.iterdir()]
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            raise SafetyRefused(
                f"{relative} lies below {place.name}, which is a file", "choose another path"
            ) from error
        except PermissionError:
            names = [name]
        except OSError as error:
            raise _failed(relative, error) from error
        if place != base and ".git" in names:
            nested = place.relative_to(base).as_posix()
            raise SafetyRefused(
                f"{relative} lies in {nested}, a repository of its own (a submodule, perhaps)",
                f"work there: cd {nested}",
            )
        if name not in names:
            folded = _folded(name)
            twin = next((other for other in names if _folded(other) == folded), None)
            if twin is not None:
                raise SafetyRefused(
                    f"{relative} differs only in case from {twin}, which exists", f"write it as it is there: {twin}"
                )
            return
        place /= name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def reader(root: Path, sees: Callable[[str], bool]) -> Callable[[str], bytes | None]:
    """A function from a path to the file's bytes, None where there is none.

    It raises SafetyRefused for paths that may not be edited, for what `sees` says may not be read, for anything but a
    regular file, and above MAX_BYTES.
    """
    base = Path(os.path.realpath(root))

    def read(path: str) -> bytes | None:
        real = resolve(base, path)
        refuse_unseen({check_path(path), real.relative_to(base).as_posix()}, sees)
        try:
            size = real.stat().st_size
        except FileNotFoundError:
            return None
        if size > MAX_BYTES:
            raise SafetyRefused(f"{path} holds {size:,} bytes: files above {MAX_BYTES:,} are not edited")
        return current(str(base), real.relative_to(base).as_posix())

    return read


def refuse_unseen(paths: Iterable[str], sees: Callable[[str], bool]) -> None:
    """Raise SafetyRefused for a path that may not be read; for a link, both its own path and its target are given."""
    for path in paths:
        if not sees(path):
            raise SafetyRefused(
                f"{path} is ignored (by git, or an ignore file of an assistant): it is neither read nor edited",
                "edit it yourself",
            )


# ── what a person should know ──────────────────────────────────────────────────────────────────────


def open_files(root: Path, patch: Patch) -> Iterator[tuple[str, str]]:
    """Each file of the patch that seems to be open in an editor, with that editor, by the file it keeps next to it."""
    for change in patch.changes:
        folder, name = (root / change.path).parent, Path(change.path).name
        marks = {
            f".{name}.swp": "Vim",
            f".{name}.swo": "Vim",
            f".#{name}": "Emacs",
            f".~lock.{name}#": "LibreOffice",
            f".{name}.kate-swp": "Kate",
        }
        editor = next((editor for mark, editor in marks.items() if os.path.lexists(folder / mark)), "")
        if editor:
            yield change.path, editor


def new_scripts(patch: Patch) -> tuple[str, ...]:
    """The scripts that a patch adds; none of them is made executable."""
    return tuple(
        change.path for change in patch.changes if change.before is None and (change.after or b"").startswith(b"#!")
    )
