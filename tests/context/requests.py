"""Requests as people write them: one line, a paragraph, a report with a stack trace."""

from __future__ import annotations

REQUESTS = [
    "refactor parse_lookup",
    "explain how the index is refreshed",
    "add a --json flag to the context command",
    "why is count_tokens so pessimistic for Chinese text?",
    "Words.postings should accept several terms at once",
    "The consent file is world readable\n\nOn my machine `consent.json` has mode 0644. It should be 0600.",
    "keywords are not refused\n\nI ran `rename load to class`, got no error from optimizer/lookup/rename.py:40.",
    "Crash on start\n\n```\nTraceback (most recent call last):\n"
    '  File "/usr/lib/python3/site-packages/optimizer/db.py", line 71, in _connect\n'
    '    connection.execute("PRAGMA journal_mode=WAL")\nsqlite3.OperationalError: database is locked\n```\n',
    "Index keeps files that were deleted\n\n1. index\n2. `git rm a.py`\n3. search: a.py is still found",
    "Support Kotlin\n\nThere is a grammar wheel for it. We need one row in languages.py and a query file.",
    "How do I add a new provider?",
    "write tests for optimizer/context/budget.py",
    "make the walk honour .gitignore in sub folders",
    "The ledger books the wrong tier when a local model answers",
    "Prices: unknown models must be None, not 0",
    "speed up bm25",
    "TypeError in for_prompt when an item has no text",
    "Streaming from Ollama stops in the middle with `stream ended` and no error is shown to the user",
    "edit_file with end < start inserts at the wrong place",
    "unified diff with CRLF line ends is refused\n\n```diff\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n```\n",
    "secret scan misses keys split over two lines",
    "Please document `OPTIMIZER_HOME`",
    "`optimize undo` restored an old version of my file after I had edited it again; it must refuse",
    "Config: unknown key error does not say which file",
    "see https://github.com/example/optimizer/blob/main/optimizer/errors.py#L40-L60 these classes need docs",
    "errors.RateLimited should carry the quota id",
    "remove dead code",
    "Gemini 429 is shown as Unreachable",
    "improve error message",
    "a repository with one 300 MB file never finishes indexing\n\nSettings.max_file_bytes seems to be ignored",
    "ImportEdge.target is None for namespace packages\n\nfrom acme.tools import hammer\n\nresolves to nothing",
    "TypeScript path aliases (`@app/*` in tsconfig.json) are not resolved",
    "Rückfragen auf Deutsch: warum findet die Suche keine Umlaute wie in größe_prüfen?",
    "does it work on windows? paths like C:\\repo\\optimizer\\index\\walk.py are printed with backslashes",
    "- [x] I read the docs\n\n### What happened\nNothing is selected\n### Expected\nSome items\n### Version\n0.1.0\n",
    "x" * 5000,
]
