"""What a request asks for a file: that it goes, that it moves, or nothing; and which encoding its bytes are in."""

from __future__ import annotations

import pytest

from optimizer.edits.asked import asked
from optimizer.encodings import candidates, text_of

REQUESTS = [
    ("delete the file h.py", "h.py", "delete"),
    ("remove the function foo from a.py", "a.py", ""),
    ("please remove utils/old.py and its tests", "utils/old.py", "delete"),
    ("please remove utils/old.py and its tests", "tests/test_old.py", "delete"),
    ("get rid of h.py", "src/h.py", "delete"),
    ("h.py is no longer needed, delete it", "h.py", "delete"),
    ("h.py should be deleted", "h.py", "delete"),
    ("don't delete h.py", "h.py", ""),
    ("delete h.py", "k.py", ""),
    ("move helper from a.ts to b.ts", "a.ts", ""),
    ("move src/a.py into lib/", "src/a.py", "move"),
    ("rename h.py to k.py", "h.py", "move"),
    ("remove h.py from CMakeLists.txt", "h.py", ""),
    ("remove h.py imports", "h.py", ""),
    ("delete the legacy folder", "legacy/x.py", "delete"),
    ("delete everything in legacy/", "legacy/x.py", ""),
    ("delete all .orig files", "src/a.orig", "delete"),
    ("remove the foo module", "pkg/foo.py", "delete"),
    ("merge a.py into b.py", "a.py", "move"),
    ("delete a.py, b.py and c.py", "c.py", "delete"),
    ("delete `a.py` and `b.py`", "b.py", "delete"),
    ("lösche die Datei h.py", "h.py", "delete"),
    ("supprime le fichier h.py", "h.py", "delete"),
    ("删除文件 h.py", "h.py", "delete"),
    ("h.py を削除して", "h.py", "delete"),
    ("把 h.py 删除", "h.py", "delete"),
    ("Datei h.py löschen", "h.py", "delete"),
    ("remove unused imports in h.py", "h.py", ""),
    ("h.py: remove the function foo", "h.py", ""),
    ("delete h.py and update the imports", "h.py", "delete"),
    ("clean up the code of h.py", "h.py", ""),
    ("delete the unused file src/h.py from the repository", "src/h.py", "delete"),
    ("Remove h.py's content", "h.py", ""),
    ("remove the line in h.py. Then drop k.py", "k.py", "delete"),
    ("remove the line in h.py. Then drop k.py", "h.py", ""),
    ("remove the class in h.py and delete it", "h.py", ""),
    ("move the file My App/a.py to lib/a.py", "My App/a.py", "move"),
    ("удали файл h.py", "h.py", "delete"),
    ("delete My App/old file.py", "My App/old file.py", "delete"),
    ("delete both a.py and b.py", "a.py", "delete"),
    ("rename the file utils.py to helpers.py and update imports", "utils.py", "move"),
    ("remove logging from a.py and b.py", "b.py", ""),
    ("delete the temp file that a.py writes", "a.py", ""),
    ("drop support for h.py", "h.py", ""),
    ("remove trailing whitespace, h.py", "h.py", ""),
    ("don't just edit h.py: delete it", "h.py", "delete"),
]


@pytest.mark.parametrize(("wish", "path", "wanted"), REQUESTS)
def test_what_a_wishasks_for_a_file(wish: str, path: str, wanted: str) -> None:
    assert asked(wish, path) == wanted


TEXTS = [
    ("cp1252", "x = 'café'\n# déjà vu\n"),
    ("cp1252", "x = “hi” — café €5\n"),
    ("cp932", "# 表示する\nx = 'ソ能'\n"),
    ("euc_jp", "# 表示する\nx = 1\n"),
    ("gb18030", "# 返回用户的名称\n"),
    ("big5", "# 漢字註釋\n"),
    ("euc_kr", "# 한국어 주석\n"),
    ("cp1251", "# Привет мир\n"),
    ("koi8_r", "# Привет мир\n"),
    ("iso8859-2", "# coding: iso-8859-2\nx = 'žluťoučký'\n"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_the_encoding_of_a_text(encoding: str, text: str) -> None:
    assert candidates(text.encode(encoding))[0][::2] == (encoding, True)
    assert text_of(text.encode(encoding)) == text


def test_marked_text_is_read_without_its_mark() -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert text_of("é\n".encode(encoding)) == "é\n"
