"""What requests name, in the forms that people and programs write it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.context.mentions import PathMention, find_mentions
from tests.pace import assert_linear

PYTHON_TRACE = """It breaks
Traceback (most recent call last):
  File "/home/me/app/run.py", line 9, in <module>
    main()
  File "/home/me/app/core/load.py", line 41, in read_all
    raise ValueError("cannot read this table: x")
ValueError: cannot read this table: x
"""


def test_paths_with_and_without_lines() -> None:
    paths = find_mentions("See `src/a.py:12`, lib/b.rs:3:7 and ./web/c.ts, also d.go:5-9 or C:\\x\\e.java.").paths
    assert paths == (
        PathMention("src/a.py", 12, 12),
        PathMention("lib/b.rs", 3, 3),
        PathMention("web/c.ts"),
        PathMention("d.go", 5, 9),
        PathMention("C:/x/e.java"),
    )


def test_links_to_a_file_at_a_host() -> None:
    text = "at https://github.com/o/r/blob/main/src/deep/x.py#L10-L20 and https://github.com/o/r/blob/v1/y.go"
    assert find_mentions(text).paths == (PathMention("src/deep/x.py", 10, 20), PathMention("y.go"))


@pytest.mark.parametrize("name", ["parse_reply", "HTTPResponse", "useState", "_private", "MAX_SIZE", "dataFrame2"])
def test_identifiers_by_their_shape(name: str) -> None:
    assert find_mentions(f"It fails\n\nWhy does {name} fail?").identifiers == {name: 1.0}


def test_identifiers_by_backticks_and_calls() -> None:
    named = find_mentions("It fails\n\nThe `load` step and close() fail, not others").identifiers
    assert named == {"load": 1.0, "close": 1.0}


def test_a_call_names_a_function_even_where_its_name_is_a_common_word() -> None:
    assert "run" in find_mentions("It fails\n\nwhy does run() fail").identifiers
    assert "run" not in find_mentions("It fails\n\nwhy does the run fail").identifiers
    assert "get" not in find_mentions("so\n```\nget()\n```\n").identifiers


def test_each_word_of_a_question_may_be_a_name() -> None:
    assert find_mentions("Runtime").identifiers["Runtime"] == 1.0
    named = find_mentions("how does the rate limiter count").identifiers
    assert {"Limiter", "limiter", "rate_limiter", "rateLimiter", "RateLimiter"} <= set(named)
    assert "the" not in named
    assert {"error", "context"} <= set(find_mentions("error in context").words)
    assert not {"error", "context"} & set(find_mentions("It fails\n\nerror in context").words)


def test_dotted_names_and_their_parts() -> None:
    found = find_mentions("Cart.total and shop.cart.Cart and Foo::bar and A#b")
    assert found.dotted == ("Cart.total", "shop.cart.Cart", "Foo.bar", "A.b")
    assert {"Cart", "total"} <= set(found.identifiers)


def test_names_in_code_weigh_less_than_in_prose() -> None:
    named = find_mentions("Look at make_it\n```\nuse_it()\n```\n").identifiers
    assert named["make_it"] > named["use_it"] > 0


def test_python_frames_weigh_more_the_later_they_are() -> None:
    frames = find_mentions(PYTHON_TRACE).frames
    assert [(frame.path, frame.line, frame.function) for frame in frames] == [
        ("/home/me/app/core/load.py", 41, "read_all"),
        ("/home/me/app/run.py", 9, "<module>"),
    ]
    assert frames[0].weight > frames[1].weight


@pytest.mark.parametrize(
    ("line", "path", "number", "function"),
    [
        ("    at loadAll (/srv/app/src/load.js:12:5)", "/srv/app/src/load.js", 12, "loadAll"),
        ("    at async file:///srv/app/src/load.mjs:3:1", "file:///srv/app/src/load.mjs", 3, ""),
        ("\tat com.shop.Cart.total(Cart.java:33)", "com/shop/Cart.java", 33, "total"),
        ("\t/srv/app/store/store.go:88 +0x1d", "/srv/app/store/store.go", 88, ""),
        ("thread 'main' panicked at src/main.rs:4:5:", "src/main.rs", 4, ""),
        ("  --> src/lib.rs:7:9", "src/lib.rs", 7, ""),
        ("lib/shop/cart.rb:12:in `total'", "lib/shop/cart.rb", 12, "total"),
        ("app/cart.py:968: in total_of", "app/cart.py", 968, "total_of"),
        ("app/cart.py:12: ValueError", "app/cart.py", 12, ""),
        ("File ~/app/cart.py:33, in Cart.total(self)", "~/app/cart.py", 33, "total"),
        ("~/app/cart.py in total(self, x)", "~/app/cart.py", 0, "total"),
        ("   at Shop.Cart.Total(Int32 x) in /srv/app/Cart.cs:line 12", "/srv/app/Cart.cs", 12, "Total"),
        ("PHP Fatal error: no such cart in /srv/app/Cart.php on line 12", "/srv/app/Cart.php", 12, ""),
        ("#1  0x00007f in cart_total (c=0x0, n=3) at src/cart.c:12", "src/cart.c", 12, "cart_total"),
        ("    #0 0x55d in shop::Cart::total(int) /srv/app/cart.cpp:12:7", "/srv/app/cart.cpp", 12, "total"),
        ("==17==    by 0x4005: cart_total (cart.c:12)", "cart.c", 12, "cart_total"),
        ("    (shop 0.1.0) lib/shop/cart.ex:12: Shop.Cart.total/1", "lib/shop/cart.ex", 12, "total"),
        ("\tshop/cart.lua:12: in function 'total'", "shop/cart.lua", 12, "total"),
        ("No cart at lib/Shop/Cart.pm line 12.", "lib/Shop/Cart.pm", 12, ""),
        ("  total, called at src/Shop/Cart.hs:12:5 in main:Shop", "src/Shop/Cart.hs", 12, "total"),
        ('Called from Shop__Cart.total in file "src/cart.ml", line 12', "src/cart.ml", 12, "total"),
        ("/srv/app/cart.zig:12:5: 0x22a4 in total (cart)", "/srv/app/cart.zig", 12, "total"),
        ("  @ Shop ~/app/src/cart.jl:12", "~/app/src/cart.jl", 12, ""),
        ("total@http://localhost/src/cart.js:12:5", "http://localhost/src/cart.js", 12, "total"),
        ('  on cart.tf line 12, in resource "x" "y":', "cart.tf", 12, ""),
        ("#0 /srv/app/Cart.php(9): Cart->total()", "/srv/app/Cart.php", 9, "total"),
    ],
)
def test_frames_of_other_languages(line: str, path: str, number: int, function: str) -> None:
    (frame,) = find_mentions(f"crash\n{line}\n").frames
    assert (frame.path, frame.line, frame.function) == (path, number, function)


def test_where_the_innermost_comes_first_it_weighs_most() -> None:
    frames = find_mentions("x\n  at a (/p/one.js:1:1)\n  at b (/p/two.js:2:1)\n").frames
    assert [frame.path for frame in frames] == ["/p/one.js", "/p/two.js"]
    assert frames[0].weight > frames[1].weight


def test_quoted_messages_by_their_fixed_parts() -> None:
    assert find_mentions(PYTHON_TRACE).quoted == ("cannot read this table: x",)
    assert find_mentions('It says "no such column {name} in table".').quoted == ("no such column", "in table")[:1]


def test_the_first_line_is_the_title() -> None:
    found = find_mentions("\n\nFix the row parser\n\nIt is slow with wide tables.\n")
    assert found.title == "Fix the row parser"
    assert found.title_words == ("row", "parser")
    assert {"wide", "tables", "slow"} <= set(found.words)
    assert "the" not in found.words


def test_forms_to_tick_and_comments_say_nothing() -> None:
    found = find_mentions("Crash\n- [x] I searched the zebras\n<!-- hidden_name\nmore_hidden -->\nvisible_name\n")
    assert "zebras" not in found.words
    assert set(found.identifiers) == {"visible_name"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("_No response_", set()),
        ("It is _very slow_ and __does not stop__", set()),
        ("It is not _private_name but __init__", {"_private_name", "__init__"}),
        ("wrong: expr1-expr2 and n-1 and x-y", {"expr1", "expr2"}),
        ("`Q` and `find` and `->is()`", {"Q", "find", "is"}),
    ],
)
def test_marks_of_text_are_no_part_of_names(text: str, names: set[str]) -> None:
    assert set(find_mentions(f"Wrong\n{text}\n").identifiers) == names


def test_an_apostrophe_quotes_nothing() -> None:
    assert find_mentions("It doesn't load and I can't see why it's so slow").quoted == ()
    assert find_mentions("It prints 'the cart can't be read' here").quoted == ("the cart can", "t be read")[:1]
    assert find_mentions("It prints 'no cart was found' here").quoted == ("no cart was found",)


def test_listings_of_versions_banners_and_empty_answers_say_nothing() -> None:
    found = find_mentions(
        "Cart is slow\n_No response_\n```\nPython 3.8.5 (default, Jul 28 2020)\nIPython 7.19.0 -- zebra\nokapi 1.2.3\n"
        "gnu: 3.4\n| kudu | 5.6.1 |\n|------|------|\n| lemur | None |\n```\nSet cart.size = 1.5 please\n"
    )
    assert set(found.words) == {"cart", "slow", "size", "set", "please"} & set(found.words)
    assert {"cart", "slow", "size"} <= set(found.words)


def test_nothing_gives_nothing() -> None:
    found = find_mentions("")
    assert (found.title, found.paths, found.frames, dict(found.words)) == ("", (), (), {})


@given(st.text(max_size=2000))
def test_any_text_is_read(text: str) -> None:
    found = find_mentions(text)
    assert found == find_mentions(text)
    assert all(0 <= mention.start <= mention.end for mention in found.paths)
    assert all(0 < frame.weight <= 1 for frame in found.frames)


@settings(max_examples=60)
@given(st.text(alphabet="ab_.:/`'\"()\\#- \n1A<>[]", max_size=400))
def test_any_signs_are_read(text: str) -> None:
    assert all(name for name in find_mentions(text).identifiers)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["a", "a.b/", "`", "'x ", "word foo_bar\n", "a:1", "/", 'File "x", line 3, in f\n', "http://a", "((a.a", "- [x] "],
)
def test_a_huge_request_is_read_in_time(piece: str) -> None:
    assert_linear(lambda size: find_mentions(piece * (size // len(piece))), 50_000)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("F523 and PTH123 are wrong", {"F523", "PTH123"}),
        ("Set --dry-run please", {"dry_run", "DryRun"}),
        ("See https://docs.example.org/rules/string-dot-format/ for it", {"string_dot_format", "StringDotFormat"}),
        ("See https://docs.example.org/api.html#tool.load_all for it", {"load_all"}),
    ],
)
def test_names_of_rules_and_options_and_what_links_end_in(text: str, names: set[str]) -> None:
    assert names <= set(find_mentions(text).identifiers)


def test_sections_of_forms_that_ask_for_versions_say_nothing() -> None:
    found = find_mentions(
        "Crash\n### Environment\nzebra_os 3\n### What happened\nvisible_name fails\n**Versions**\nokapi 9\n"
    )
    assert set(found.identifiers) == {"visible_name"}
    assert not {"zebra", "okapi"} & set(found.words)


def test_what_is_logged_counts_as_code_and_a_trace_is_no_prose() -> None:
    found = find_mentions(f"Slow zebras\n[debug] okapi loaded\n{PYTHON_TRACE}")
    assert "zebras" in found.prose
    assert not {"okapi", "read_all"} & found.prose
    assert found.words["zebras"] > found.words["okapi"] > found.words["read_all"]


def test_a_file_named_in_output_is_told_from_one_named_in_words() -> None:
    text = "See a.py or `python f.py x`\n```\nrun b.py\n$ ./c.py\n```\n% tests/d.py\n[debug] read e.py\n"
    kinds = {mention.path: mention.kind for mention in find_mentions(text).paths}
    code, output = dict.fromkeys(["b.py"], "code"), dict.fromkeys(["c.py", "tests/d.py", "e.py", "f.py"], "output")
    assert kinds == {"a.py": "prose"} | code | output
