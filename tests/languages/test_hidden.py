"""What new lines hide, where nothing is hidden, and how the diff shows it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.characters import escape, escaped, escaped_json, named, unseen
from optimizer.languages.hidden import hidden
from optimizer.report.diff import shown, unified
from optimizer.types import FileChange, Patch


def found(path: str, before: str | None, after: str) -> str:
    """The characters that a change hides."""
    change = FileChange(path, before.encode() if before is not None else None, after.encode())
    return "".join(one.character for one in hidden(Patch((change,))).get(path, ()))


@pytest.mark.parametrize(
    ("path", "after", "what"),
    [
        *(
            (path, f"{mark} {end}boom()\n", end)
            for path, mark in (("a.js", "//"), ("a.py", "#"), ("a.go", "//"), ("a.unknown", "%"), ("a.md", ""))
            for end in "\u2028\u2029\x85\x0b\x0c\r"
        ),
        ("a.py", "x = '\x1b[8m'\n", "\x1b"),
        ("a.py", "x = '\x9b8m'\n", "\x9b"),
        ("a.py", "x = 1  # \x08\x08\n", "\x08\x08"),
        ("a.py", "x = '\0'\n", "\0"),
        ("a.js", "/*\u202e } \u2066if (admin)\u2069 \u2066 begin admins only */\n", "\u202e\u2066\u2069\u2066"),
        ("a.py", "x = 'שלום\u200f'\n", "\u200f"),
        ("a.md", "see\U000e0068\U000e0069\n", "\U000e0068\U000e0069"),
        ("a.py", "pass\u00adword = 1\n", "\u00ad"),
        ("a.js", "let a\u200cb = 1\n", "\u200c"),
        ("a.js", "const {\u3164} = query\n", "\u3164"),
        ("a.js", "eval(d(`\ufe01\ufe02\U000e0101`))\n", "\ufe01\ufe02\U000e0101"),
        ("a.js", "x = '❤\ufe0f\ufe0f'\n", "\ufe0f"),
        ("a.py", "x = '\u2800'\n", "\u2800"),
        ("a.py", "x = 1\n\ufeffy = 2\n", "\ufeff"),
        ("a.py", "if user == 'аdmin':\n    pass\n", "а"),
        ("a.py", "def аdmin(): pass\n", "а"),
        ("a.js", "import x from 'lоdash'\n", "о"),
        ("a.py", "user_сору = 1\n", "с"),
        ("a.py", "ｅｖａｌ(x)\n", "ｅ"),
        ("a.py", "𝐞xec(x)\n", "𝐞"),
        ("a.py", "ﬁle = 1\n", "ﬁ"),
        ("a.js", "f(`${ｅval}`)\n", "ｅ"),
        ("a.py", "copy(1)\nсору(2)\n", "с"),
        ("a.py", "x =\u00a01\n", "\u00a0"),
        ("a.py", "x =\u30001\n", "\u3000"),
    ],
)
def test_what_a_new_line_hides_is_found(path: str, after: str, what: str) -> None:
    assert found(path, None, after) == what
    assert found(path, "old\n", f"old\n{after}") == what


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("a.py", "s = 'שלום'  # مرحبا, здравствуйте, 你好, γειά\n"),
        ("a.py", "# ｅｖａｌ, Pythonом, a\u00a0b\n"),
        ("a.py", "s = '10\u00a0000 €'\n"),
        ("a.md", "Pythonом и git\u00a0clone — naïve, ｅｖａｌ\n"),
        ("a.py", "s = '❤️ ⚠️ 1️⃣ 👩\u200d👩\u200d👧 👩🏽\u200d💻 🏳️\u200d🌈 ☺︎'\n"),
        ("a.py", "s = 'می\u200cخواهم'  # क्\u200dष\n"),
        ("a.py", "привет = 1\nтест_a = 2\nΔt = σ_max = λ1 = μs = 3\n"),
        ("a.py", "été = naïve = größe = 名前 = 変数1 = kısa = 1\n"),
        ("a.py", "а = 1\n"),
        ("a.py", "\ufeffx = 1\r\ny = 2\r\n"),
        ("a.cs", "\ufeffclass A {}\n"),
    ],
)
def test_letters_of_the_world_hide_nothing(path: str, after: str) -> None:
    assert found(path, None, after) == ""


def test_what_stood_there_before_may_move_and_not_change() -> None:
    line = "x = 1  # \u2028 y\n"
    assert found("a.py", f"{line}z = 1\n", f"z = 1\n    {line}") == ""
    assert found("a.py", f"{line}z = 1\n", f"z = 1\n{line}{line}") == "\u2028"
    assert found("a.py", f"{line}z = 1\n", line.replace("y", "os.remove(z)")) == "\u2028"
    moved = Patch((FileChange("b.py", b"", line.encode()), FileChange("a.py", line.encode(), b"")))
    copied = Patch((FileChange("b.py", b"", line.encode()), FileChange("a.py", line.encode(), line.encode() + b"1\n")))
    assert not hidden(moved) and list(hidden(copied)) == ["b.py"]
    assert found("a.py", "a = 1\rb = 2\r", "a = 1\rb = 3\r") == ""


def test_a_line_that_only_looks_like_the_escape_is_still_a_change() -> None:
    patch = Patch((FileChange("a.js", b"// \\u2028 x\n", "// \u2028 x\n".encode()),))
    assert "-// \\u2028 x\n+// <\\u2028 LINE SEPARATOR> x\n" in shown(patch)


def test_the_diff_names_what_is_new_and_escapes_what_was_there(tmp_path: Path) -> None:
    before, after = "a\u2028\nb\nc\n", "a\u2028\nb\u00ad \u2029\r\nc\n"
    patch = Patch((FileChange("a.js", before.encode(), after.encode()),))
    text = shown(patch)
    assert " a\\u2028\n-b\n+b<\\u00ad SOFT HYPHEN> <\\u2029 PARAGRAPH SEPARATOR>\n c\n" in text
    assert not list(unseen(text))
    (tmp_path / "a.js").write_bytes(before.encode())
    subprocess.run(["git", "apply", "-"], input=unified(patch).encode(), cwd=tmp_path, check=True)
    assert (tmp_path / "a.js").read_bytes() == after.encode(), "the diff for programs stays one"


def test_text_that_git_calls_binary_is_shown() -> None:
    wide = FileChange("a.js", "x\n".encode("utf-16"), "x\u2028y\n".encode("utf-16"))
    null = FileChange("b.js", None, b"// \0 boom()\n")
    text = shown(Patch((wide, null, FileChange("c.png", b"\x89\0\xff", b"\x89\0\xfe"))))
    assert "+x<\\u2028 LINE SEPARATOR>y\n" in text and "+// <\\u0000 NULL> boom()\n" in text
    assert text.endswith("Binary files a/c.png and b/c.png differ\n")


def test_names() -> None:
    assert named("\u2028") == "\\u2028 LINE SEPARATOR"
    assert named("\U000e0041") == "\\U000e0041 TAG LATIN CAPITAL LETTER A"
    assert named("\x9f") == "\\u009f CONTROL CHARACTER" and named("\u2065") == "\\u2065 UNASSIGNED"


@given(st.text())
def test_nothing_unseen_is_left_and_json_means_the_same(text: str) -> None:
    assert not list(unseen(escaped(text)))
    plain = json.dumps(text, ensure_ascii=False)
    assert json.loads(escaped_json(plain)) == text
    assert all(letter not in escaped_json(plain) for letter in "\u2028\x85\x9b\u202e\ufeff\U000e0041\u00ad")


@given(st.text(st.sampled_from("ab \u2028\u00ad\t")))
def test_a_new_file_hides_what_is_unseen_in_it(text: str) -> None:
    assert found("a.bin", None, text) == "".join(text[at] for at in unseen(text))
    assert escape("\u2028") in shown(Patch((FileChange("a.bin", None, text.encode()),))) or "\u2028" not in text
