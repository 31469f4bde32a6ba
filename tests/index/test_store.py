"""What an index answers."""

from __future__ import annotations

import pytest

from optimizer.errors import NotFound
from optimizer.types import Reference
from tests.index.conftest import update
from tests.languages.test_notebook import cell, notebook

FILES = {
    "pkg/__init__.py": "",
    "pkg/core.py": "import os\nfrom pkg.util import help_out\n\n\nclass Core:\n    '''Runs it.'''\n\n"
    "    limit = 3\n\n    def run(self):\n        return help_out(self.limit)  # help_out\n\n"
    "def x(): return 'help_out'\n",
    "pkg/util.py": "def help_out(count):\n    '''Help out.'''\n    return count + 1\n",
    "docs/guide.md": "Call help_out to parseResponse.\n",
}


@pytest.fixture
def index(make_repo, opened):
    built = opened(make_repo(FILES))
    update(built)
    return built


def test_symbols_by_name_and_by_file(index):
    (core,) = index.symbols_named(["Core"])
    assert (core.path, core.kind, core.line, core.doc) == ("pkg/core.py", "class", 5, "Runs it.")
    assert [symbol.qualified for symbol in index.symbols_in("pkg/core.py")] >= ["Core", "Core.run"]
    assert {symbol.path for symbol in index.symbols_named(["run", "help_out"])} == {"pkg/core.py", "pkg/util.py"}
    assert index.symbols_named(["core", "nothing"]) == ()
    assert index.symbols_in("nothing.py") == ()
    assert {"Core", "run", "help_out", "x"} <= set(index.all_names())


def test_names_of_one_letter_and_names_that_are_common_words(make_repo, opened):
    built = opened(make_repo({"a.py": "def f(): pass\n\ndef test(): return f()\n", "b.rb": "def ok?\n  1\nend\n"}))
    update(built)
    assert [symbol.line for symbol in built.symbols_named(["f"])] == [1]
    assert [symbol.line for symbol in built.symbols_named(["test"])] == [3]
    assert [reference.line for reference in built.references("f")] == [1, 3]


def test_imports_both_ways(index):
    first = index.imports_of("pkg/core.py")[0]
    assert (first.module, first.target) == ("os", None)
    assert [edge.target for edge in index.imports_of("pkg/core.py") if edge.target] == ["pkg/util.py"]
    assert [(edge.source, edge.line) for edge in index.importers_of("pkg/util.py")] == [("pkg/core.py", 2)]
    assert index.imports_of("nothing.py") == index.importers_of("nothing.py") == ()


def test_references_are_identifiers_with_the_symbol_they_stand_in(index):
    assert index.references("help_out") == (
        Reference("pkg/core.py", 2, "from pkg.util import help_out", "", "import"),
        Reference("pkg/core.py", 11, "return help_out(self.limit)  # help_out", "Core.run", "call"),
        Reference("pkg/util.py", 1, "def help_out(count):", "help_out", "definition"),
    )
    assert len(index.references("help_out", limit=2)) == 2
    assert index.references("nothing_like_it") == ()
    assert index.references("") == ()


def test_references_are_read_from_the_files_as_they_are_now(index):
    (index.root.path / "pkg/util.py").write_text("\n\ndef help_out(count): pass\n")
    assert [reference.line for reference in index.references("help_out") if reference.path == "pkg/util.py"] == [3]


def test_reading_a_file(index, tmp_path):
    assert index.read("pkg/util.py") == FILES["pkg/util.py"].encode()
    (index.root.path / "pkg/util.py").write_text("new")
    assert index.read("pkg/util.py") == b"new"
    for path in ("nothing.py", "../cache", "/etc/passwd", ".git/config", "pkg", ""):
        with pytest.raises(NotFound):
            index.read(path)


def test_reading_does_not_follow_a_link_put_in_place_of_a_file_or_folder(index, tmp_path):
    (tmp_path / "util.py").write_text("outside")
    target = index.root.path / "pkg/util.py"
    target.unlink()
    target.symlink_to(tmp_path / "util.py")
    with pytest.raises(NotFound):
        index.read("pkg/util.py")
    (index.root.path / "docs/guide.md").unlink()
    (index.root.path / "docs").rmdir()
    (tmp_path / "guide.md").write_text("outside")
    (index.root.path / "docs").symlink_to(tmp_path)
    with pytest.raises(NotFound):
        index.read("docs/guide.md")


def test_words_by_field(index):
    words = index.words()

    def units(field, term):
        numbers, counts = words.postings(field, term)
        return [
            (words.unit(number).path, words.unit(number).symbol, count)
            for number, count in zip(numbers, counts, strict=True)
        ]

    assert sorted(units("body", "help_out")) == [
        ("docs/guide.md", "", 1),
        ("pkg/core.py", "", 1),
        ("pkg/core.py", "Core.run", 2),
        ("pkg/core.py", "x", 1),
        ("pkg/util.py", "help_out", 1),
    ]
    assert units("body", "response") == [("docs/guide.md", "", 1)]
    assert units("name", "help") == [("pkg/util.py", "help_out", 1)]
    assert units("doc", "runs") == [("pkg/core.py", "Core", 1)]
    assert [words.paths[number] for number in words.postings("path", "util")[0]] == ["pkg/util.py"]
    assert words.postings("body", "nothing") == words.postings("elsewhere", "help")
    assert words.total_units == sum(file >= 0 for file in words.file_of)
    assert words.mean_length == pytest.approx(sum(words.length) / words.total_units)


def test_units_say_which_lines_are_their_own(index):
    words = index.words()
    units = [words.unit(number) for number, file in enumerate(words.file_of) if file >= 0]
    for path, text in FILES.items():
        lines = [line for unit in units if unit.path == path for a, b in unit.spans for line in range(a, b + 1)]
        assert sorted(lines) == list(range(1, text.count("\n") + 1))
    (core,) = [unit for unit in units if unit.symbol == "Core"]
    assert (core.start, core.end, core.kind, core.spans) == (5, 9, "class", ((5, 9),))


def test_two_repositories_have_two_stores(make_repo, opened, tmp_path):
    first = opened(make_repo(FILES))
    other = tmp_path / "other"
    other.mkdir()
    second = opened(other)
    assert first.file != second.file
    assert first.file.parent == second.file.parent == tmp_path / "cache" / "index"


def test_words_of_a_notebook_come_from_its_sources_alone(tmp_path, opened):
    tree = tmp_path / "tree"
    tree.mkdir()
    image = {"data": {"image/png": "aGVsbG8gd29ybGQ", "text/plain": ["printed"]}, "output_type": "display_data"}
    cells = cell("# Heading\n", kind="markdown"), cell('def total(a="x\\ny"):\n', "    return 1", outputs=[image])
    (tree / "look.ipynb").write_bytes(notebook(*cells))
    index = opened(tree)
    update(index)
    words = index.words()
    assert all(words.files_of("body", term) == {0} for term in ("heading", "total"))
    assert not any(words.files_of("body", term) for term in ("printed", "cell_type", "agvsbg8gd29ybgq", "ntotal"))
    assert [(symbol.path, symbol.name) for symbol in index.symbols_named(["total"])] == [("look.ipynb", "total")]


def test_generated_and_minified_files_are_known_by_number(tmp_path, opened):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "hand.py").write_text("def f(): pass\n")
    (tree / "made.py").write_text("# @generated\ndef f(): pass\n")
    (tree / "copy.py").write_text("# @generated\ndef f(): pass\n")
    (tree / "small.js").write_text("function a(){return 1};" * 200)
    index = opened(tree)
    update(index)
    words = index.words()
    assert {words.paths[number]: origin for number, origin in words.origins.items()} == {
        "copy.py": "generated",
        "made.py": "generated",
        "small.js": "minified",
    }
    (tree / "made.py").unlink()
    update(index)
    words = index.words()
    assert sorted(words.paths[number] for number in words.origins) == ["copy.py", "small.js"]
