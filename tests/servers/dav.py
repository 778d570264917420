"""Recordings as Dahua's recorders write them (DAV), after libavformat/dhav.c, which reads them."""

from __future__ import annotations

import struct
from pathlib import Path

import av

KEY, OTHER = 0xFD, 0xFC
H264 = 0x02


def write_dav(path: Path, film: Path, fps: int) -> Path:
    """Write the H.264 pictures of a TS file as DAV."""
    chunks = []
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for number, packet in enumerate(p for p in container.demux(stream) if p.size):
            ext = struct.pack("<BxBB", 0x81, H264, fps)
            ext += struct.pack("<BxxxHH", 0x82, stream.width, stream.height)
            length = 24 + len(ext) + packet.size + 8
            date = 6 << 26 | 11 << 22 | 30 << 17 | 12 << 12 | number // fps
            kind = KEY if packet.is_keyframe else OTHER
            passed_ms = number * 1000 // fps & 0xFFFF
            head = struct.pack("<4sBBBBIII", b"DHAV", kind, 0, 0, 0, number, length, date)
            head += struct.pack("<HBB", passed_ms, len(ext), 0)
            chunks.append(head + ext + bytes(packet) + struct.pack("<4sI", b"dhav", length))
    path.write_bytes(b"".join(chunks))
    return path
