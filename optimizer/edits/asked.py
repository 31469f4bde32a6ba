"""Whether a request asks for a file to go, or to move: a verb of that kind whose object is that file.

`remove f from a.py` speaks of f, not of a.py. What is not certain counts as not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

Asked = Literal["delete", "move", ""]

MAX_CHARACTERS = 20_000
_DELETE = (
    r"delet(?:e[ds]?|ing)|remov(?:e[ds]?|ing)|drop(?:ped|ping)?|eras(?:e[ds]?|ing)|rm|unlink|discard"
    r"|get(?:ting)? rid of|throw away|trash|nuke|lösch(?:e|en|t)|gelöscht|entfern(?:e|en|t)|supprim(?:e[rz]?|é)"
    r"|efface[rz]?|elimin(?:a[rd]?|e|ado)|borra[r]?|suprim(?:e|ir)|remova|remover|apag(?:ue|ar)|exclu(?:a|ir)|cancella(?:re)?"
    r"|rimuovi|rimuovere|удали(?:ть)?|убери|删除|移除|删掉"
)
_MOVE = (
    r"mov(?:e[ds]?|ing)|renam(?:e[ds]?|ing)|relocat(?:e[ds]?|ing)|mv|transfer|merg(?:e[ds]?|ing)|fold|inline|combine"
    r"|consolidate|split|break up|convert|port|migrate|turn|verschieb(?:e|en)|benenne|umbenennen|déplace[rz]?"
    r"|renomme[rz]?|muev(?:e|a)|mover|renombra[r]?|mova|renomei(?:e|ar)|sposta(?:re)?|rinomina(?:re)?"
    r"|перемести(?:ть)?|переименуй|переименовать|移动|重命名"
)
_NOT = re.compile(
    r"(?:\bnot|n't|\bnever|\bwithout|\bno|\bnicht|\bkeine?|\bpas|\bsans|\bnão|\bnon|\bsin|\bне|不要|别)\s*(?:\w+\s+)?$",
    re.IGNORECASE,
)
_WORDS = """
a all also and as both complete completely component components dead deprecated directory duplicate duplicated empty
entire entirely every file files folder generated just module modules my now obsolete of old our package page pages
please redundant script scripts stale superfluous temporary test tests that the these this those two three unneeded
unused useless well whole your legacy
datei dateien der die das den alte alten bitte und le la les fichier fichiers un une et el los las archivo archivos
fichero ficheros y o os arquivo arquivos e il lo gli i файл файлы и 文件
"""
_FILLING = frozenset(_WORDS.split())
_AFTER = re.compile(
    r"['\"`*]*(?:\s*(?:$|[.,;:!?)\n、。，]|(?:->|=>|→)|(?:and|or|then|also|as well|too|completely|entirely|altogether"
    r"|now|please|because|since|which|that|it|they|to|into|in|under|over|file|files|module|script|folder|directory|und|oder"
    r"|nach|y|et|vers|dans|en|para|a|e|в|на|из проекта|到|为)\b|(?:from|out of|aus) (?:the |this |our |dem |diesem )?"
    r"(?:repo|repository|project|projekt|tree|code ?base|disk)\b)|\s+\()",
    re.IGNORECASE,
)
_PASSIVE = re.compile(
    r"['\"`*]*\s*(?:,|-|–|:|;|file|module|script|is|are|can|should|must|may|be|needs?|to|no longer|needed|used|and|it"
    r"|both|unused|obsolete|dead|now|so|you|we|please|then|also|has|have|gets?|wird|werden|soll|kann|nicht mehr"
    rf"|gebraucht|und|文件|\s)*\b(?:{_DELETE})\b(?=\s*(?:$|[.,;!?)\n]|it\b|them\b|too\b|the file|this file|that file"
    r"|completely|entirely|werden|from the (?:repo|project)))"
    r"|['\"`*]*\s*(?:ファイル)?\s*を?\s*(?:削除|消して|删除|移除|删掉)",
    re.IGNORECASE,
)
_DELETES = re.compile(rf"(?<![\w-])(?:{_DELETE})(?![\w-])|删除|移除|删掉", re.IGNORECASE)
_MOVES = re.compile(rf"(?<![\w-])(?:{_MOVE})(?![\w-])|移动|重命名", re.IGNORECASE)
_WITHIN = re.compile(r"\b(?:at|by|for|from|in|inside|into|of|to|with|within|in der|dans|en|nel|в)\s+['\"`*]*$")
_NOUN = r"(?:file|module|script|page|component|test)"
_TEST = re.compile(r"test_(.+)|(.+)_test|(.+)\.test|(.+)\.spec|(.+)Test")
_ITS_TESTS = re.compile(r"\b(?:its|their) (?:unit )?tests?\b")
_WORD = re.compile(r"[^\s,、，]+")
_PATHLIKE = re.compile(r"['\"`*(]*[\w.~-]*[./][\w./*-]*['\"`*).]*")


@lru_cache(maxsize=64)
def asked(request: str, path: str) -> Asked:
    """What a request asks for the file `path`: that it goes, that it moves (or becomes part of another), or neither."""
    text = request[:MAX_CHARACTERS]
    for start, end in _mentions(text, path):
        if _PASSIVE.match(text, end) and not _WITHIN.search(text[max(0, start - 40) : start]):
            return "delete"
        if _AFTER.match(text, end) and _has_object(text, start, _DELETES):
            return "delete"
        if _AFTER.match(text, end) and _has_object(text, start, _MOVES):
            return "move"
    return ""


def _mentions(text: str, path: str) -> Iterator[tuple[int, int]]:
    """Where the request names the file: by its path or the end of it, its name, a folder above it, its ending."""
    parts = path.split("/")
    names = {re.escape("/".join(parts[n:])) for n in range(len(parts))}
    stem, _, ending = parts[-1].partition(".")
    if len(stem) > 1:
        names |= {rf"{re.escape(stem)}\s+{_NOUN}", rf"{_NOUN}\s+{re.escape(stem)}"}
    if ending:
        names.add(rf"(?:\*|all )\.{re.escape(ending.rpartition('.')[2])}(?: files)?")
    for count in range(1, len(parts)):
        folder = re.escape("/".join(parts[:count]))
        names |= {rf"{folder}/(?:\*+(?:/\*+)?)?", rf"{folder}\s+(?:folder|directory|package)"}
        names.add(rf"(?:folder|directory|package)\s+{folder}")
    tested = _TEST.fullmatch(parts[-1].rpartition(".")[0])
    if tested and _ITS_TESTS.search(text):
        names.add(rf"(?:[\w.-]+/)*{re.escape(next(filter(None, tested.groups())))}\.\w+")
    longest = "|".join(sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w./-])(?:\./)?(?:{longest})(?![\w/*-]|\.\w|'s)")
    for found in pattern.finditer(text):
        yield found.start(), found.end()


def _has_object(text: str, start: int, verbs: re.Pattern[str]) -> bool:
    """Whether what begins at `start` is the object of one of the verbs: only articles and paths stand between."""
    verb = next(reversed(list(verbs.finditer(text, max(0, start - 400), start))), None)
    if verb is None or _NOT.search(text[max(0, verb.start() - 40) : verb.start()]):
        return False
    between = [(word, word.strip("'\"`*:").lower()) for word in _WORD.findall(text[verb.end() : start])]
    return all(not bare or bare in _FILLING or _PATHLIKE.fullmatch(word) for word, bare in between)
