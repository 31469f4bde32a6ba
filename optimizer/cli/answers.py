"""Let a person answer the questions of a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from optimizer.cli.terminal import confirm
from optimizer.events import (
    CallCostQuestion,
    ConsentQuestion,
    LandingQuestion,
    Question,
    RenameQuestion,
    TrustQuestion,
    UserAnswer,
)
from optimizer.report.figures import dollars


class Answers:
    """Answers to the questions of one run: `yes` to those about money, the others from the user at the terminal.

    Without a terminal, `asks` is False, and there is no answer. `around` is entered while a question is answered.
    """

    def __init__(
        self, yes: bool, asks: bool, around: Callable[[Question], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self.yes, self.asks, self.around = yes, asks, around
        self._spends = yes

    def __call__(self, question: Question) -> UserAnswer:
        with self.around(question):
            return self._answer(question)

    def _answer(self, question: Question) -> UserAnswer:
        match question:
            case CallCostQuestion(model, cost):
                asked = f"One call of {model} may cost {dollars(cost)}. Make such calls in this run?"
                self._spends = self._spends or (self.asks and confirm(asked))
                return self._spends
            case _ if not self.asks:
                return None
            case ConsentQuestion():
                from optimizer.report import outcome

                return confirm(outcome.consent(question))
            case TrustQuestion(commands):
                from optimizer.cli import trust

                return trust.ask(commands)
            case RenameQuestion():
                from optimizer.report import outcome

                return confirm(outcome.unresolved(question))
            case LandingQuestion():
                from optimizer.report import outcome

                return confirm(outcome.question(question))
        return None
