"""The answers of a user at a terminal to the questions of a run."""

from __future__ import annotations

from optimizer.cli.terminal import confirm
from optimizer.events import Answer, CallCostQuestion, ConsentQuestion, LandingQuestion, Question, TrustQuestion
from optimizer.report.money import dollars


class Answers:
    """Answers to the questions of one run: `yes` to those about money, the others from the user at the terminal.

    Without a terminal, `asks` is False, and there is no answer.
    """

    def __init__(self, yes: bool, asks: bool) -> None:
        self.yes, self.asks = yes, asks
        self._spends = yes

    def __call__(self, question: Question) -> Answer:
        match question:
            case CallCostQuestion(model, cost):
                asked = f"One call of {model} may cost {dollars(cost)}. Make such calls in this run?"
                self._spends = self._spends or (self.asks and confirm(asked))
                return self._spends
            case _ if not self.asks:
                return None
            case ConsentQuestion(provider, host, repository):
                asked = f"Allow code of {repository} to be sent to {provider} at {host}?"
                return confirm(f"{asked}\nA yes is remembered for this repository.")
            case TrustQuestion(commands):
                from optimizer.cli import trust

                return trust.ask(commands)
            case LandingQuestion():
                from optimizer.report import landing

                return confirm(landing.question(question))
        return None
