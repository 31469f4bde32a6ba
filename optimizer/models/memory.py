"""How much memory a local model takes, from its name alone: parameters, quantisation and window; an estimate, pure.

    weights = parameters x bits of a weight / 8
    cache   = window x 48 KiB x sqrt(parameters in billions)
    memory  = weights x 1.05 + cache + 0.5 GiB

The bits are those of llama.cpp's quantisations, scales included (Q4_K_M: 4.9). The cache is what models with
grouped query attention take at 16 bits, rounded up; older ones take more. 0.5 GiB is for the buffers of computing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

GIB = 1 << 30
USUAL_WINDOW = 8192  # a first request with its answer
USUAL_QUANTISATION = "q4_k_m"  # what a tag of Ollama's library means that names none
CACHE_BYTES = 48 * 1024
BUFFERS = GIB // 2
SHARED_OF_EXPERTS = 0.84  # experts share attention and embeddings: Mixtral 8x7B holds 47 billion
BITS: Mapping[str, float] = {
    "q2_k": 3.2,
    "q3_k_s": 3.7,
    "q3_k_m": 4.0,
    "q3_k_l": 4.3,
    "iq4_xs": 4.5,
    "iq4_nl": 4.7,
    "q4_0": 4.7,
    "q4_1": 5.1,
    "q4_k_s": 4.7,
    "q4_k_m": 4.9,
    "mxfp4": 4.3,
    "q5_0": 5.6,
    "q5_1": 6.0,
    "q5_k_s": 5.6,
    "q5_k_m": 5.7,
    "q6_k": 6.6,
    "q8_0": 8.5,
    "fp8": 8.0,
    "f16": 16.0,
    "fp16": 16.0,
    "bf16": 16.0,
    "f32": 32.0,
}
_SIZE = re.compile(r"(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])")
_BITS = re.compile("|".join(sorted(map(re.escape, BITS), key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes that a model takes when loaded with a window of `window` tokens, 0 where its size is not known.

    They follow from `billions` of parameters at a quantisation of `bits`.
    """

    bytes: int
    window: int
    billions: float = 0.0
    quantisation: str = ""
    bits: float = 0.0


def estimate(model_id: str, window: int = USUAL_WINDOW, billions: float = 0.0) -> Estimate:
    """What a model takes with a window of `window` tokens; `billions` is used where the name has no size."""
    name = model_id.lower()
    size = parameters(name) or billions
    if not size:
        return Estimate(0, window)
    found = _BITS.search(name)
    quantisation = found[0] if found else USUAL_QUANTISATION
    bits = BITS[quantisation]
    weights = size * 1e9 * bits / 8
    cache = window * CACHE_BYTES * math.sqrt(size)
    return Estimate(int(weights * 1.05 + cache + BUFFERS), window, size, quantisation, bits)


@lru_cache(maxsize=1024)
def parameters(model_id: str) -> float:
    """Billions of parameters in a name, such as `:7b-q4_K_M`, `8x7b` or `-360m`; 0 where it has none.

    The largest of several counts; active parameters do not (`30b-a3b` has 30).
    """
    sizes = [
        int(experts or 1) * float(count) * (SHARED_OF_EXPERTS if experts else 1) / (1000 if unit == "m" else 1)
        for experts, count, unit in _SIZE.findall(model_id.lower())
    ]
    return round(max(sizes, default=0.0), 3)


def needed(model_id: str, sizes: Mapping[str, int], billions: float, window: int) -> int:
    """Bytes that a model needs: from its file where its size is known, else from its name; 0 unknown."""
    guess = estimate(model_id, window, billions)
    on_disk = sizes.get(model_id, 0)
    if not on_disk:
        return guess.bytes
    cache = int(window * CACHE_BYTES * max(guess.billions, 1.0) ** 0.5)
    return int(on_disk * 1.05) + cache + BUFFERS


def to_unload(
    wanted: str, size: int, loaded: Mapping[str, int], kept: Collection[str], total: int, last: str = ""
) -> tuple[str, ...]:
    """Which of the `loaded` models (bytes by name) to take out so that `wanted`, of so many bytes, fits into `total`.

    The largest first, `last` after all others; none of `kept`, and none where the wanted one is loaded.
    """
    if wanted in loaded:
        return ()
    over = size + sum(loaded.values()) - total
    found: list[str] = []
    for name in sorted(loaded, key=lambda name: (name == last, -loaded[name])):
        if over > 0 and name not in kept:
            found.append(name)
            over -= loaded[name]
    return tuple(found)
