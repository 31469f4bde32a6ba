"""The sums of a request's tokens: every part is counted once, in the room for code and in the size of the prompt."""

from __future__ import annotations

from optimizer.agent import prompts
from optimizer.engine.prepare import Budget, words_budget


def test_what_is_left_for_code_is_the_total_without_every_other_part() -> None:
    budget = Budget(total=10_000, answer=1_000, fixed=500, notes_limit=90, notes=70, images=5_000, asked=600, plan=30)
    assert budget.code == 10_000 - 1_000 - 500 - 70 - 5_000 - 600 - 30


def test_a_prompt_holds_what_its_notes_and_code_take_in_the_end() -> None:
    budget = Budget(total=10_000, answer=1_000, fixed=500, notes_limit=90, notes=70, images=5_000, asked=600, plan=30)
    assert budget.prompt(notes=40, code=2_000) == 500 + 40 + 2_000 + 600 + 5_000


def test_a_question_answered_in_words_has_no_notes_images_or_plan() -> None:
    frame = prompts.overhead(edits=False)
    assert words_budget(4_000, 500).code == 4_000 - 500 - frame
    assert words_budget(4_000, 500, asked=300).code == 4_000 - 500 - frame - 300
