"""Packs one camera's day into bytes: a few kilobytes for all its minutes and columns.

The first byte is the version. Then follows zlib over the columns' names as JSON, a line feed and,
for each column, the lowest byte of all 1440 amounts, then the next higher byte, and so on. A
minute's amounts are small and similar, so most of these bytes are zero (`python -m
benchmarks.history_size`).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from contract.errors import MessageError
from contract.messages import checked, read_json, to_json
from contract.people.minutes import DAY_MINUTES

Minutes = npt.NDArray[np.int64]
"""`(1440,)` amounts of one column, by minute of the day in UTC."""

VERSION: Final = b"1"
LARGEST: Final = 2**32 - 1
MOST_BYTES: Final = 4 * 1024 * 1024
"""Largest unpacked day: 700 columns. A kilobyte of zlib can expand to a megabyte."""
_ITEM: Final = np.dtype("<u4")
_NAMES: Final = TypeAdapter(list[str])


def pack_day(columns: Mapping[str, Minutes]) -> bytes:
    """Return the day as bytes; columns without any amount are left out.

    Raises:
        ValueError: an amount is negative or above `LARGEST`.
    """
    kept = {name: amounts for name, amounts in sorted(columns.items()) if amounts.any()}
    for name, amounts in kept.items():
        if amounts.min() < 0 or amounts.max() > LARGEST:
            raise ValueError(f"amounts of {name}: expected 0 to {LARGEST}")
    planes = [
        amounts.astype(_ITEM).view(np.uint8).reshape(DAY_MINUTES, _ITEM.itemsize).T.tobytes()
        for amounts in kept.values()
    ]
    head = to_json(list(kept)).encode() + b"\n"
    return VERSION + zlib.compress(head + b"".join(planes), 9)


def unpack_day(packed: bytes) -> dict[str, Minutes]:
    """Read what `pack_day` wrote; raise `MessageError` for anything else."""
    if packed[:1] != VERSION:
        raise MessageError(f"a packed day of version {packed[:1]!r}, expected {VERSION!r}")
    try:
        unpacked = zlib.decompressobj()
        head, _, body = unpacked.decompress(packed[1:], MOST_BYTES).partition(b"\n")
        if unpacked.unconsumed_tail:
            raise MessageError(f"a packed day has more than {MOST_BYTES} bytes")
        names = checked(_NAMES, read_json(head, "a packed day"), "a packed day")
        planes = np.frombuffer(body, np.uint8).reshape(len(names), _ITEM.itemsize, DAY_MINUTES)
        amounts = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(_ITEM)[:, :, 0]
        return dict(zip(names, amounts.astype(np.int64), strict=True))
    except (zlib.error, ValueError, TypeError) as error:
        if isinstance(error, MessageError):
            raise
        raise MessageError(f"a packed day cannot be read: {error}") from error
