"""A tiny language model with random weights in the file that llama.cpp reads; what it says is noise, but it says it.

Run with a Python that has the packages gguf and numpy: `python tiny_gguf.py model.gguf`.
"""

from __future__ import annotations

import sys
from pathlib import Path

WIDTH, HEADS, HEADS_KV, INNER, WINDOW = 64, 4, 2, 128, 2048
LETTERS = [f"▁{one}" for one in "abcdefghijklmnopqrstuvwxyz"] + list("abcdefghijklmnopqrstuvwxyz")
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def write_model(path: Path) -> None:
    """Write the model; the end of text and single bytes are never the likeliest next token."""
    import gguf
    import numpy

    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *LETTERS]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * len(LETTERS)]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(WINDOW)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS_KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0 if kind != NORMAL else -float(at) for at, kind in enumerate(kinds)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    random = numpy.random.default_rng(1)

    def weights(*shape: int) -> numpy.ndarray:
        return random.normal(0.0, 0.3, shape).astype(numpy.float32)

    ones = numpy.ones(WIDTH, dtype=numpy.float32)
    output = weights(len(tokens), WIDTH)
    output[: 3 + 256] = 0.0
    keys = WIDTH // HEADS * HEADS_KV
    for name, tensor in {
        "token_embd.weight": weights(len(tokens), WIDTH),
        "output_norm.weight": ones,
        "output.weight": output,
        "blk.0.attn_norm.weight": ones,
        "blk.0.attn_q.weight": weights(WIDTH, WIDTH),
        "blk.0.attn_k.weight": weights(keys, WIDTH),
        "blk.0.attn_v.weight": weights(keys, WIDTH),
        "blk.0.attn_output.weight": weights(WIDTH, WIDTH),
        "blk.0.ffn_norm.weight": ones,
        "blk.0.ffn_gate.weight": weights(INNER, WIDTH),
        "blk.0.ffn_up.weight": weights(INNER, WIDTH),
        "blk.0.ffn_down.weight": weights(WIDTH, INNER),
    }.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
