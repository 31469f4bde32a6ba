"""The figures of a whole index against counts made the slow way."""

from __future__ import annotations

from optimizer.index.survey import contents, disk_bytes, holders, links, names_defined, survey
from tests.conftest import IndexRepo

FILES: dict[str, str | bytes] = {
    "a.py": "import b\nimport json\nfrom b import make_it\n\n\ndef first():\n    return make_it()\n",
    "b.py": "def make_it():\n    return 1\n\n\nclass Thing:\n    def first(self):\n        return make_it\n",
    "twin.py": "def make_it():\n    return 1\n\n\nclass Thing:\n    def first(self):\n        return make_it\n",
    "main.go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("make_it")\n}\n',
    "plain.xyz": "make_it by hand\n",
    "blob.bin": b"\0\1",
    ".env": "KEY=1\n",
}


def test_survey_counts_what_there_is(index_repo: IndexRepo) -> None:
    index = index_repo(FILES)
    figures = survey(index)
    read = {path: FILES[path] for path in index.paths()}
    assert set(read) == set(FILES) - {"blob.bin", ".env"}
    assert (figures.files, figures.source_bytes) == (len(read), sum(map(len, read.values())))
    assert {row.language: (row.files, row.symbols) for row in figures.languages} == {
        "python": (3, 7),
        "go": (1, 1),
        "other": (1, 0),
    }
    assert figures.languages[0].language == "python"
    assert figures.symbols == sum(len(index.symbols_in(path)) for path in read)
    assert (figures.imports, figures.imports_resolved) == (4, 2)
    assert {skipped.path for skipped in figures.skipped} == {"blob.bin", ".env"}
    assert figures.commits == 1
    assert figures.units == index.words().total_units
    assert figures.disk_bytes == disk_bytes(index) >= index.file.stat().st_size


def test_the_graph_and_the_lists_agree_with_single_questions(index_repo: IndexRepo) -> None:
    index = index_repo(FILES)
    paths = index.paths()
    assert [[symbol.name for symbol in index.symbols_in(path)] for path in paths] == names_defined(index)
    assert {(paths[source], paths[target]) for source, target in links(index)} == {
        (edge.source, path) for path in paths for edge in index.importers_of(path)
    }
    terms = {"make_it", "make", "thing", "nowhere"}
    held = holders(index, terms)
    assert {term: set(held.get(term, ())) for term in terms} == {
        term: index.words().files_of("body", term) for term in terms
    }


def test_contents_are_equal_where_the_bytes_are(index_repo: IndexRepo) -> None:
    found = contents(index_repo(FILES))
    assert found["b.py"] == found["twin.py"] != found["a.py"]
    assert found["blob.bin"] is None
