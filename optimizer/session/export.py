"""A conversation as Markdown."""

from __future__ import annotations

from optimizer.session.blocks import Block
from optimizer.session.conversation import Conversation


def markdown(conversation: Conversation) -> str:
    """All turns: the words of the user and of the models whole, files and calls by name."""
    parts = [f"# Session {conversation.id}\n"]
    for turn in conversation.turns:
        parts.append(f"## {turn.number}. {' '.join(turn.text.split())}\n")
        parts += [text for block in conversation.blocks if block.turn == turn.number if (text := _block(block))]
        if turn.ended and turn.ended.files:
            parts.append(f"Changed: {', '.join(turn.ended.files)} (change {turn.ended.entry.lstrip('0')})\n")
    return "\n".join(parts)


def _block(block: Block) -> str:
    match block.kind:
        case "file-read":
            return f"- shown: `{block.path}` {block.start}-{block.end}\n" if block.path else ""
        case "tool-use":
            return f"- called: `{block.tool} {block.arguments}`\n"
        case "assistant" | "summary":
            return f"{block.text}\n"
        case "note":
            quoted = "\n".join(f"> {line}" for line in block.text.split("\n"))
            return f"{quoted}\n"
    return ""
