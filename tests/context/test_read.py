"""Files that a reader named come first in the context, each with its best function."""

from __future__ import annotations

from optimizer.context.read import READ
from optimizer.context.select import select
from optimizer.retrieval import Context, ContextLimits, Query
from tests.conftest import IndexRepo

LONG = "".join(f"    rows = rows + [part_{at}, {at}]\n" for at in range(12))
NEAR = {f"app/near{at}.py": f"def parse_response(rows):\n{LONG}    return rows\n" for at in range(6)}
FAR = {"app/far.py": f"def response_kept(rows):\n{LONG}    return rows\n\n\ndef other(rows):\n{LONG}    return rows\n"}
REQUEST = "why does parse_response fail?"
LIMITS = ContextLimits(1100, max_files=4)


def bodies(context: Context) -> set[str]:
    return {item.symbol for item in context.items if item.kind == "body" and item.path == "app/far.py"}


def test_a_named_file_gets_a_body_within_the_same_budget(index_repo: IndexRepo) -> None:
    index = index_repo({**NEAR, **FAR})
    without = select(Query(REQUEST), index, LIMITS)
    assert not bodies(without)
    context = select(Query(REQUEST, read=("app/far.py", "nowhere.py")), index, LIMITS)
    assert "response_kept" in bodies(context)
    assert context.tokens <= LIMITS.max_tokens
    assert [file.path for file in context.files if READ in file.why] == ["app/far.py"]
    assert context.files[0].path == "app/far.py"
    assert "nowhere.py" not in {file.path for file in context.files}
