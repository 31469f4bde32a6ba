"""Before a turn: whether less of the conversation is sent from now on, and whether its beginning is as it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from optimizer.events import Notice
from optimizer.report import talk as report
from optimizer.session.compact import RESERVE, Plan, Rates, State, plan
from optimizer.session.conversation import TIME_TO_LIVE, Conversation, add, seconds_between
from optimizer.session.messages import messages_of
from optimizer.session.prefix import prefix_digest

if TYPE_CHECKING:
    from optimizer.engine.services import Services
    from optimizer.session.store import Sessions
    from optimizer.types import Model

NOTHING = Rates(0.0, 0.0, 0.0)


def digest(conversation: Conversation) -> str:
    """What the messages of a conversation are recognised by."""
    sent = [block for block in conversation.sent if block.message <= conversation.answered]
    return prefix_digest(messages_of(sent))[-1] if sent else ""


def planned(conversation: Conversation, services: Services) -> Plan:
    """What would be left out before the next turn."""
    model = _last(conversation, services)
    return plan(conversation.blocks, conversation.levels, _state(conversation, model, services))


def compacted(store: Sessions, conversation: Conversation, found: Plan) -> Conversation:
    """The conversation with a plan carried out; /rewind goes back behind it. Raises as the store does."""
    levels = {str(id): level for id, level in found.levels.items()}
    return add(store, conversation, "levels", {"levels": levels}) if levels else conversation


def notices(conversation: Conversation, found: Plan) -> Iterator[Notice]:
    """What a person should know before the turn: that the beginning is not as it was sent, and what is left out."""
    if conversation.digest not in ("", digest(conversation)):
        yield Notice(report.prefix_changed(), "prefix-changed")
    if found.levels:
        line = report.compacted(found.dropped, found.saving, found.cost, found.why)
        yield Notice(line, "compacted")


def _last(conversation: Conversation, services: Services) -> Model | None:
    """The model of the last turn, where it can be asked still."""
    named = next((turn.ended.model for turn in reversed(conversation.turns) if turn.ended and turn.ended.model), "")
    return next((one for one in services.models.available().models if one.id == named), None) if named else None


def _state(conversation: Conversation, model: Model | None, services: Services) -> State:
    tariff = services.calls.candidate(model).tariff if model else None
    step = tariff.step(conversation.tokens) if tariff else None
    rates = Rates(step.input, step.cache_read, step.cache_write or step.input, step.output) if step else NOTHING
    warm = seconds_between(conversation.at, datetime.now(UTC).isoformat()) < TIME_TO_LIVE
    first = next((block.id for block in conversation.blocks if block.message > conversation.answered), 0)
    window = _room(model.window, services.workspace.settings.first_request) if model and model.window else 0
    return State(rates, window, warm, conversation.calls, conversation.pauses, first, _since(conversation))


def _since(conversation: Conversation) -> int | None:
    """The answers of models since less of the conversation was sent for the last time; None where that never was."""
    if not conversation.leveled:
        return None
    turn = conversation.leveled[-1][0]
    return len({one.message for one in conversation.blocks if one.turn > turn and not one.of_user})


def _room(window: int, request: int) -> int:
    """The window of which RESERVE leaves room for a request in the real one."""
    return max(1, min(window, round((window - request) / RESERVE)))
