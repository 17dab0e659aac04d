"""How every kernel of the engine is compiled, and the small functions that all of them share.

``nogil`` lets bands of one picture be drawn on several threads, ``cache`` keeps the machine code between runs.

Of LLVM's fast mathematics only the assumptions that there are no NaNs, infinities and signed zeros are made. What may
reorder or contract operations is off: which copy of an inlined helper runs depends on whether it was compiled in this
process or came from the cache, and on the processor, and the pictures must not. It costs no measurable time.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numba import config, njit


def _separate_cache_for_these_sources() -> Path:
    """Keep compiled kernels in a folder named after the source of all of them.

    numba looks only at the file that a kernel stands in; a changed constant or helper of another file would go
    unnoticed, and an old kernel would run with new data.
    """
    package = Path(__file__).parents[1]
    digest = hashlib.blake2b(digest_size=8)
    for folder in (package / "scene", package / "frames"):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    base = Path(config.CACHE_DIR) if config.CACHE_DIR else Path(__file__).parent / "__pycache__"
    folder = base / f"kernels-{digest.hexdigest()}"
    config.CACHE_DIR = str(folder)
    return folder


KERNEL_FOLDER: Final = _separate_cache_for_these_sources()
"""Where the compiled kernels lie."""

WERE_COMPILED: Final = KERNEL_FOLDER.exists()
"""The kernels come from the cache: the first picture does not have to wait for the compiler."""

_FAST: Final = {"nnan", "ninf", "nsz"}

kernel = njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")

inlined = njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy", forceinline=True)
"""For the small functions that loops are made of: a loop that calls anything is never made SIMD."""

_U1 = np.uint32(0x9E3779B1)
_U2 = np.uint32(0x85EBCA77)
_U3 = np.uint32(0xC2B2AE3D)
_M1 = np.uint32(0x7FEB352D)
_M2 = np.uint32(0x846CA68B)
_S15 = np.uint32(15)
_S16 = np.uint32(16)
_SCALE = 1.0 / 4294967296.0


@inlined
def key(layer: int, slot: int, generation: int) -> int:
    """Where the random numbers of one particle's life begin; unsigned 32 bit."""
    a = np.uint32(np.uint32(layer) * _U3)
    b = np.uint32(np.uint32(slot) * _U1)
    c = np.uint32(np.uint32(generation) * _U2)
    x = np.uint32(np.uint32(a + b) ^ c)
    x = np.uint32(x ^ (x >> _S16))
    return np.uint32(x * _M1)  # type: ignore[return-value]


@inlined
def rnd(k: int, n: int) -> float:
    """The ``n``-th random number in 0..1 of key ``k`` (integer hash lowbias32 by C. Wellons)."""
    x = np.uint32(np.uint32(k) + np.uint32(np.uint32(n) * _U1))
    x = np.uint32(x ^ (x >> _S16))
    x = np.uint32(x * _M1)
    x = np.uint32(x ^ (x >> _S15))
    x = np.uint32(x * _M2)
    x = np.uint32(x ^ (x >> _S16))
    return x * _SCALE


@inlined
def sin1(turns: float) -> float:
    """Sine of an angle in turns, to about 0.001 (two parabolas); cheap and smooth enough for motion."""
    u = turns - np.floor(turns + 0.5)
    y = u * (8.0 - 16.0 * abs(u))
    return float(y * (0.775 + 0.225 * abs(y)))


@inlined
def cos1(turns: float) -> float:
    """Cosine of an angle in turns."""
    return sin1(turns + 0.25)


@inlined
def smooth(a: float, b: float, x: float) -> float:
    """Smoothstep of ``x`` from ``a`` to ``b``."""
    u = min(1.0, max(0.0, (x - a) / (b - a)))
    return u * u * (3.0 - 2.0 * u)


@inlined
def rise_fall(age: float, attack: float, release: float) -> float:
    """A life's envelope: up from 0 within ``attack``, down to 0 within the last ``release``; all in parts of a life."""
    return smooth(0.0, attack, age) * smooth(0.0, release, 1.0 - age)
