"""The error tree: each error has a message, a hint and an exit code.

OptimizerError                1
├── InputError                2   a query, flag or path that cannot be used
│   └── ConfigError           2   a setting that cannot be read
├── UnusableOutput            3   no model gave anything that can be used; nothing changed
│   ├── EditRefused           3   an edit that does not fit the files
│   ├── AnswerCut             3   an answer that reached its token limit
│   ├── Stopped               3   a conversation that reached a bound
│   ├── Repeating             3   an answer that said the same again and again
│   └── NotFound              3   the index holds no such thing
├── SafetyRefused             4   a path or change that is never allowed
├── ConsentMissing            5   there is no consent for this destination
├── SecretFound               5   the payload holds a secret
├── NoProvider                6   no model could be asked, or none worked
│   └── ProviderError         6   one model failed
│       ├── Unreachable           the connection broke
│       │   └── NoConnection          there is none
│       │       └── BadCertificate        its certificate is not trusted
│       ├── TimedOut              a deadline passed
│       ├── RateLimited           429, with the wait if given
│       ├── AuthFailed            401, 402, 403
│       ├── ModelMissing          404
│       ├── PromptTooLong         the window is too small, or the prompt was cut
│       ├── ToolsRefused          its model, or its server, takes no tools
│       ├── Overloaded            5xx, 529
│       │   └── NoRoom            its server has no memory for the model
│       └── BadAnswer             empty, cut, refused or malformed
├── StorageError              7   disk, permission or store
├── Conflict                  8   the file changed, or the match is ambiguous
│   └── Outdated                  since the model was shown it: another model would be shown the same
├── ChecksFailed              9   edits made, checks failed
└── BudgetReached            10   the cap is spent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from optimizer.types import Usage

Bound = Literal["steps", "repeats", "tokens", "cost", "seconds", "window", ""]


INSTALL_AGAIN = "install optimizer again, from a clone of it: pipx install --force ."
UPGRADE = "git pull in your clone of optimizer, then pipx install --force . there"
"""The cures of a broken and of an old installation; the name on the package index belongs to another project."""


class OptimizerError(Exception):
    """Base of all errors that a user may see; `hint` is the next step.

    `unanswered`: no answer came, so the next model has nothing to learn from it. `repairable`: the model that gave the
    answer may correct it. `provider_down`: none of the provider's models can be asked.
    """

    exit_code = 1
    unanswered = False
    repairable = False
    provider_down = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def whole(self) -> str:
        """The message with its hint."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    @property
    def line(self) -> str:
        """One line for a person; the hint of a refused answer is for the model that gave it."""
        return self.whole if self.unanswered else self.message


class InputError(OptimizerError):
    exit_code = 2


class ConfigError(InputError):
    pass


class UnusableOutput(OptimizerError):
    exit_code = 3
    repairable = True


class AnswerCut(UnusableOutput):
    """The answer reached its token limit."""


class Stopped(UnusableOutput):
    """A conversation that reached a bound of an attempt: `bound` says which, '' where it is not known."""

    def __init__(self, message: str, hint: str = "", bound: Bound = "") -> None:
        super().__init__(message, hint)
        self.bound = bound


class Repeating(UnusableOutput):
    """The answer went round in circles and was stopped: its model would do so again."""

    repairable = False


class EditRefused(UnusableOutput):
    pass


class NotFound(UnusableOutput):
    pass


class SafetyRefused(OptimizerError):
    exit_code = 4
    repairable = True


class ConsentMissing(OptimizerError):
    """`destination` is the name that `optimize consent grant` takes."""

    exit_code = 5

    def __init__(self, destination: str, host: str) -> None:
        super().__init__(
            f"nothing was sent: no consent to send this repository's code to {destination} ({host})",
            f"optimize consent grant {destination}",
        )
        self.destination = destination
        self.host = host


class SecretFound(OptimizerError):
    exit_code = 5


class NoProvider(OptimizerError):
    exit_code = 6
    unanswered = True


class ProviderError(NoProvider):
    """`usage` is what the failed call is known to have consumed; None when nothing was counted.

    `heard` is the part of its answer that had arrived, `waited` the seconds before that began.
    """

    heard = ""
    waited = 0.0

    def __init__(self, message: str, hint: str = "", usage: Usage | None = None) -> None:
        super().__init__(message, hint)
        self.usage = usage


class Unreachable(ProviderError):
    pass


class NoConnection(Unreachable):
    """Nothing answers at the provider's address."""

    provider_down = True


class BadCertificate(NoConnection):
    """What answers has a certificate that nobody trusted here vouches for."""


class TimedOut(ProviderError):
    pass


class RateLimited(ProviderError):
    """`wait` is in seconds, None when the provider does not give it; `period` is minute, day or '' when unknown."""

    def __init__(self, message: str, hint: str = "", wait: float | None = None, period: str = "") -> None:
        super().__init__(message, hint)
        self.wait = wait
        self.period = period


class AuthFailed(ProviderError):
    """The key is not accepted; `for_all`: neither is it for the provider's other models."""

    def __init__(self, message: str, hint: str = "", for_all: bool = False) -> None:
        super().__init__(message, hint)
        self.provider_down = for_all


class ModelMissing(ProviderError):
    pass


class PromptTooLong(ProviderError):
    pass


class ToolsRefused(ProviderError):
    pass


class Overloaded(ProviderError):
    """`wait` is in seconds, None when the provider does not give it."""

    def __init__(self, message: str, hint: str = "", wait: float | None = None) -> None:
        super().__init__(message, hint)
        self.wait = wait


class NoRoom(Overloaded):
    """The model does not fit into the memory of its server: asking again at once does not help."""


class BadAnswer(ProviderError):
    repairable = True


class StorageError(OptimizerError):
    exit_code = 7


class Conflict(OptimizerError):
    exit_code = 8
    repairable = True


class Outdated(Conflict):
    pass


class ChecksFailed(OptimizerError):
    exit_code = 9


class BudgetReached(OptimizerError):
    exit_code = 10
    unanswered = True
