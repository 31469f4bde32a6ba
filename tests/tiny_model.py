"""A tiny embedding model with random weights, in the files that fastembed reads; written without the onnx package.

Its network looks each token up in a table of random vectors; fastembed takes their mean. So texts that share words are
alike, and nothing else is: enough to prove the path, and what comes out is known beforehand.
"""

from __future__ import annotations

import json
import random
import re
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

DIMENSION = 384
NAME = "sentence-transformers/all-MiniLM-L6-v2"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
FLOAT, INT64 = 1, 7
IR_VERSION, OPSET = 8, 17


def write_model(folder: Path, words: Iterable[str], alike: Mapping[str, str] | None = None, seed: int = 1) -> Path:
    """Write a model that knows these words, for which each key of `alike` means what its value means.

    Returns its directory.
    """
    folder.mkdir(parents=True)
    numbers = {word: number for number, word in enumerate([*SPECIAL, *sorted({*words} - {*(alike or {})})])}
    numbers |= {word: numbers[meaning] for word, meaning in (alike or {}).items()}
    (folder / "model.onnx").write_bytes(_network(len(numbers), seed))
    special = {f"{token[1:-1].lower()}_token": token for token in SPECIAL}
    for name, content in {
        "config.json": {"pad_token_id": 0, "model_type": "bert", "hidden_size": DIMENSION},
        "tokenizer_config.json": {"model_max_length": 512, **special},
        "special_tokens_map.json": special,
        "tokenizer.json": _tokenizer(numbers),
    }.items():
        (folder / name).write_text(json.dumps(content))
    return folder


def words_of(*texts: str) -> set[str]:
    """All words of some texts, as the tokenizer splits them."""
    return {word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())}


def _tokenizer(numbers: Mapping[str, int]) -> dict[str, object]:
    added = [
        {"id": number, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        | {"special": True}
        for number, token in enumerate(SPECIAL)
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": dict(numbers),
            "unk_token": "[UNK]",
        },
    }


# ── the network, as protocol-buffer messages ─────────────────────────────────────────────────────


def _network(words: int, seed: int) -> bytes:
    """input_ids, attention_mask, token_type_ids → last_hidden_state: one row of the table for each token."""
    chance = random.Random(seed)
    table = struct.pack(f"<{words * DIMENSION}f", *(chance.gauss(0.0, 1.0) for _ in range(words * DIMENSION)))
    weights = _number(1, words) + _number(1, DIMENSION) + _number(2, FLOAT) + _bytes(8, b"table") + _bytes(9, table)
    gather = _bytes(1, b"table") + _bytes(1, b"input_ids") + _bytes(2, b"last_hidden_state") + _bytes(4, b"Gather")
    graph = _bytes(1, gather) + _bytes(2, b"tiny") + _bytes(5, weights)
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        graph += _bytes(11, _value(name, INT64, ("batch", "sequence")))
    graph += _bytes(12, _value("last_hidden_state", FLOAT, ("batch", "sequence", DIMENSION)))
    return _number(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, _bytes(1, b"") + _number(2, OPSET))


def _value(name: str, kind: int, shape: tuple[str | int, ...]) -> bytes:
    sizes = b"".join(
        _bytes(1, _number(1, size) if isinstance(size, int) else _bytes(2, size.encode())) for size in shape
    )
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, sizes)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
