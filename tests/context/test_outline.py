"""The outline: what others lean on comes first, tests and foreign code last, within the tokens, the same every time."""

from __future__ import annotations

import random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.context.budget import count_tokens
from optimizer.context.outline import Outline, as_text, outline, page_rank
from optimizer.index.refresh import refresh
from optimizer.settings import Settings
from tests.conftest import IndexRepo

SHOP = {
    "shop/__init__.py": "",
    "shop/core.py": "def open_store(path):\n    return path\n\n\nclass StoreError(Exception):\n    pass\n\n\n"
    "def _inner():\n    pass\n\n\ndef unused_one():\n    def nested_two():\n        pass\n",
    "shop/cart.py": "from shop.core import open_store, StoreError\n\n\nclass Cart:\n    def add_item(self):\n"
    "        open_store('x')\n",
    "shop/order.py": "from shop.core import open_store\nfrom shop.cart import Cart\n\n\ndef place_order():\n"
    "    Cart().add_item()\n    open_store('y')\n",
    "shop/leaf.py": "from shop.order import place_order\n\n\ndef lonely_leaf():\n    place_order()\n",
    "tests/test_core.py": "from shop.core import open_store\n\n\ndef test_open_store():\n    open_store('z')\n",
    "vendor/lib.py": "def vendored_thing():\n    pass\n",
    "README.md": "# Shop\n",
}


def text_of(made: Outline) -> str:
    return "\n".join(line for file in made.files for line in as_text(file)) + "\n"


def test_what_others_lean_on_comes_first(index_repo: IndexRepo) -> None:
    made = outline(index_repo(SHOP), 2000)
    paths = [file.path for file in made.files]
    assert paths[0] == "shop/core.py"
    assert paths.index("shop/order.py") < paths.index("shop/leaf.py")
    assert paths[-2:] == ["tests/test_core.py", "vendor/lib.py"]
    assert as_text(made.files[0])[1] == "     1  def open_store(path)"
    names = [symbol.name for symbol in made.files[0].symbols]
    assert "nested_two" not in names
    assert [symbol.line for symbol in made.files[0].symbols] == sorted(symbol.line for symbol in made.files[0].symbols)


def test_a_method_comes_with_its_class(index_repo: IndexRepo) -> None:
    made = outline(index_repo(SHOP), 2000, frozenset({"shop/cart.py"}))
    (cart,) = made.files
    assert as_text(cart) == ("shop/cart.py", "     4  class Cart", "     5    def add_item(self)")


def test_within_its_tokens_and_best_first(index_repo: IndexRepo) -> None:
    index = index_repo(SHOP)
    for tokens in (10, 40, 60, 100, 150, 400):
        made = outline(index, tokens)
        assert made == outline(index, tokens)
        assert made.tokens <= tokens
        if made.files:
            assert count_tokens(text_of(made)) <= tokens
            assert made.files[0].path == "shop/core.py"
            assert made.files[0].symbols[0].name == "open_store"
    assert outline(index, 60).files


def test_the_same_tree_gives_the_same_outline_however_it_came_to_be(index_repo: IndexRepo) -> None:
    index = index_repo(SHOP)
    before = outline(index, 120)
    target = index.root.path / "shop/core.py"
    original = target.read_text()
    target.write_text(original.replace("open_store", "close_store") + "\n\ndef more_of_it():\n    pass\n")
    refresh(index, Settings(workers=1), lambda _: None)
    assert outline(index, 120) != before
    target.write_text(original)
    refresh(index, Settings(workers=1), lambda _: None)
    assert outline(index, 120) == before


def test_files_alone_where_nothing_is_defined(index_repo: IndexRepo) -> None:
    made = outline(index_repo({"notes.txt": "a\n", "deep/er/more.txt": "b\n"}), 200)
    assert [file.path for file in made.files] == ["notes.txt", "deep/er/more.txt"]


def test_nothing_of_nothing(index_repo: IndexRepo) -> None:
    assert outline(index_repo({}), 200) == Outline((), 0, 0)


@given(
    st.integers(1, 12).flatmap(
        lambda count: st.tuples(
            st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40)
        )
    )
)
def test_page_rank_is_a_share_of_one(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    ranks = page_rank(count, edges, [1.0] * count)
    assert len(ranks) == count
    assert all(rank > 0 for rank in ranks)
    assert sum(ranks) == pytest.approx(1.0)


def test_page_rank_follows_links_and_votes() -> None:
    ranks = page_rank(4, [(0, 2), (1, 2), (2, 3)], [1.0, 1.0, 1.0, 1.0])
    assert ranks[3] > ranks[2] > ranks[0] == ranks[1]
    deaf = page_rank(3, [(0, 1), (0, 2)], [1.0, 0.0, 0.0])
    assert deaf[1] == deaf[2] < deaf[0]
    assert page_rank(0, [], []) == []


@pytest.mark.slow
def test_thousands_of_files_in_time(index_repo: IndexRepo) -> None:
    chance = random.Random(7)
    files = {
        f"pkg{n % 40}/mod_{n}.py": "".join(
            f"from pkg{other % 40}.mod_{other} import make_thing_{other}\n"
            for other in (chance.randrange(3000) for _ in range(4))
        )
        + "".join(
            f"\n\ndef make_thing_{n if not part else f'{n}_{part}'}(value):\n    return value\n" for part in range(8)
        )
        for n in range(3000)
    }
    index = index_repo(files)
    begun = process_time()
    made = outline(index, 2000)
    assert process_time() - begun < 1.5  # a third of it on an idle machine
    assert made.total == 3000
