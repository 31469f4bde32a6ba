import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.config.document import LARGEST, read_document
from optimizer.errors import ConfigError


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_lines_of_keys(tmp_path: Path) -> None:
    text = (
        "# a = 1\nmodel = 'm'\ncontext.max_files = 8\n\n[index]\n  workers = 2\n"
        'note = """\nworkers = 3\n[network]\n"""\n[ network ] # here\n"stall_seconds" = 3\ninline = { a = 1 }\n'
        "[[row]]\nid = 'x'\n[[row]]\nid = 'y'\nlist = [\n [1],\n]\n"
    )
    document = read_document(write(tmp_path, text))
    assert document is not None
    expected = {
        "model": 2, "context.max_files": 3, "index": 5, "index.workers": 6, "index.note": 7, "network": 11,
        "network.stall_seconds": 12, "network.inline": 13, "network.inline.a": 13, "row": 14, "row.0.id": 15,
        "row.1": 16, "row.1.id": 17, "row.1.list": 18, "unheard": 1,
    }  # fmt: skip
    assert {key: document.line(key) for key in expected} == expected
    assert document.place("model") == f"{document.path}:2"


def test_crlf_and_byte_order_mark(tmp_path: Path) -> None:
    document = read_document(write(tmp_path, b"\xef\xbb\xbfmodel = 'm'\r\n[context]\r\nmax_files = 3\r\n"))
    assert document is not None
    assert document.data == {"model": "m", "context": {"max_files": 3}}
    assert document.line("context.max_files") == 3


def test_missing_is_none(tmp_path: Path) -> None:
    assert read_document(tmp_path / "none.toml") is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = 1\nb = = 2\n", ":2: "),
        ("a = 1\n\n[x", ":3: "),
        ("a = 1\na = 2\n", ":2: "),
        (b"a = 1\nb = '\xff'\n", ":2: "),
        ("a = " + "[" * 100_000, ": "),
        ("a = 1\n" * LARGEST, f"{LARGEST:,}"),
    ],
)
def test_a_broken_file_is_one_line_that_says_where(tmp_path: Path, text: str | bytes, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_document(write(tmp_path, text))
    assert str(tmp_path / "config.toml") in caught.value.message
    assert where in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.toml")
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path))):
        read_document(tmp_path / "config.toml")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path))):
        read_document(tmp_path)


def test_below_a_file_there_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert read_document(tmp_path / "file" / "config.toml") == read_document(tmp_path / "none" / "config.toml")


@given(raw=st.one_of(st.binary(max_size=200), st.text("ab=[]{}.\"'\n #1", max_size=80).map(str.encode)))
def test_any_bytes_give_a_document_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(raw)
    try:
        document = read_document(path)
    except ConfigError as error:
        assert str(path) in error.message
    else:
        assert document is not None
        assert all(1 <= line <= raw.count(b"\n") + 1 for line in document.lines.values())
