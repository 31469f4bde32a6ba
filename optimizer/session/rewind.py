"""Back to an earlier turn: the conversation, the code that its later turns wrote, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from optimizer.edits import journal
from optimizer.edits.write import Restored, undo
from optimizer.errors import Conflict
from optimizer.session.conversation import Conversation, add

if TYPE_CHECKING:
    from optimizer.engine.services import Workspace
    from optimizer.session.store import Sessions

What = Literal["code", "conversation", "both"]


class Rewound(NamedTuple):
    """The conversation after it, and the files that were restored."""

    conversation: Conversation
    restored: tuple[Restored, ...] = ()


def rewind(store: Sessions, conversation: Conversation, to: int, what: str, workspace: Workspace) -> Rewound:
    """Go back to the end of turn `to`. Later turns stay in the log, their changes in the journal.

    Raises Conflict, with nothing changed, where other changes were written since, or a file is not as it was written.
    """
    restored: tuple[Restored, ...] = ()
    if what != "conversation":
        restored = _undone(conversation, to, workspace)
    if what != "code":
        conversation = add(store, conversation, "rewound", {"to": to})
    return Rewound(conversation, restored)


def _undone(conversation: Conversation, to: int, workspace: Workspace) -> tuple[Restored, ...]:
    ours = {turn.ended.entry for turn in conversation.turns[to:] if turn.ended and turn.ended.entry}
    done = [one.id for one in journal.entries(workspace.journal, workspace.root) if one.state == "done"]
    left = ours.intersection(done)
    if not left:
        return ()
    newest = sorted(done)[-len(left) :]
    if set(newest) != left:
        others = ", ".join(one.lstrip("0") for one in newest if one not in left)
        raise Conflict(
            f"change {others} was written since, by another request: nothing was undone",
            "undo that first: optimize undo; or go back in the conversation only: /rewind N conversation",
        )
    return undo(workspace.root, workspace.journal, len(left))
