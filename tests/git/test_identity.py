"""What a repository is known by, and that another one at its path is another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from optimizer.git import identity
from optimizer.git.identity import identify
from optimizer.privacy import consent, trust
from optimizer.privacy.identity import Identity, is_same
from tests.conftest import git

Make = Callable[[Mapping[str, str | bytes]], Path]


def commit(root: Path, name: str) -> None:
    (root / name).write_text(name)
    git(root, "add", "-A")
    git(root, "commit", "-qm", name)


def granted(root: Path, state: Path) -> bool:
    return consent.granted(state, str(root), "groq", "h", partial(identify, root, state))


def give(root: Path, state: Path) -> None:
    consent.grant(state, str(root), "groq", "h", partial(identify, root, state))
    trust.decide(state, str(root), "pytest", True, "c", partial(identify, root, state))


def trusted(root: Path, state: Path) -> bool | None:
    return trust.decision(state, str(root), "pytest", "c", partial(identify, root, state))


def test_another_repository_at_the_same_path_has_no_consent_and_no_trust(make_repo: Make, tmp_path: Path) -> None:
    root, state = make_repo({"a": "1"}), tmp_path / "state"
    give(root, state)
    assert granted(root, state) and trusted(root, state)
    shutil.rmtree(root)
    root.mkdir()
    git(root, "init", "-q")
    commit(root, "b")
    assert not granted(root, state) and trusted(root, state) is None
    give(root, state)
    assert granted(root, state) and trusted(root, state)


def test_further_commits_branches_and_merges_keep_it(make_repo: Make, tmp_path: Path) -> None:
    root, state = make_repo({"a": "1"}), tmp_path / "state"
    give(root, state)
    commit(root, "b")
    assert granted(root, state)
    git(root, "checkout", "-q", "--orphan", "pages")
    commit(root, "c")
    assert granted(root, state) and trusted(root, state)


def test_a_history_of_another_beginning_asks_again(make_repo: Make, tmp_path: Path) -> None:
    root, state = make_repo({"a": "1"}), tmp_path / "state"
    give(root, state)
    git(root, "checkout", "-q", "--orphan", "other")
    commit(root, "b")
    git(root, "branch", "-qD", "main")
    assert not granted(root, state)


@pytest.mark.parametrize("with_git", [True, False])
def test_a_folder_without_commits_is_known_by_itself_and_keeps_its_consent(tmp_path: Path, with_git: bool) -> None:
    root, state = tmp_path / "new", tmp_path / "state"
    root.mkdir()
    if with_git:
        git(root, "init", "-q")
    give(root, state)
    assert granted(root, state)
    if with_git:
        commit(root, "a")
        assert granted(root, state) and trusted(root, state), "the first commit asks nothing again"
        assert consent.grants(state)[0].identity == identify(root, state) != Identity()
        commit(root, "b")
        assert granted(root, state) and trusted(root, state)
    root.rename(tmp_path / "aside")  # its number stays taken
    root.mkdir()
    if with_git:
        git(root, "init", "-q")
    assert not granted(root, state) and trusted(root, state) is None


def test_git_is_asked_only_when_head_has_moved(
    make_repo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def counted(*arguments: object, **_: object) -> bytes | None:
        asked.append(arguments[2])
        return run(*arguments)  # type: ignore[arg-type]

    run = identity.run
    monkeypatch.setattr(identity, "run", counted)
    root, state = make_repo({"a": "1"}), tmp_path / "state"
    assert not granted(root, state) and asked == [], "where nothing was granted, nobody is asked"
    give(root, state)
    for _ in range(3):
        assert granted(root, state)
    assert len(asked) == 1
    commit(root, "b")
    assert granted(root, state) and granted(root, state)
    assert len(asked) == 2


def test_an_answer_of_an_older_version_holds_for_nothing(make_repo: Make, tmp_path: Path) -> None:
    root, state = make_repo({"a": "1"}), tmp_path / "state"
    give(root, state)
    for file in (consent.FILE, trust.FILE):
        text = (state / file).read_text().replace('"roots"', '"old"')
        (state / file).write_text(text)
    assert not granted(root, state) and trusted(root, state) is None
    assert [one.identity for one in consent.grants(state)] == [None]
    give(root, state)
    assert granted(root, state) and trusted(root, state)
    assert len(consent.grants(state)) == len(trust.decisions(state)) == 1


def test_what_is_the_same() -> None:
    one = Identity(("a", "b"), "m")
    assert is_same(one, Identity(("b",), "n")) and not is_same(one, Identity(("c",), "m"))
    assert is_same(Identity((), "m"), one) and is_same(one, Identity((), "m"))
    assert not is_same(Identity((), "m"), Identity(("a",), "n")) and not is_same(None, one)
