"""An RTSP server that plays H.264 clips in an endless loop, timestamps rising throughout.

Run by the system's own Python, which has GStreamer's bindings. Reads one JSON object from
standard input: {"clips": {mount: folder}, "port": 0 for any, "user": ..., "password": ...,
"digest": bool, "udp": bool for UDP alone}; prints the port. A folder holds `video.h264` (Annex B)
and `units.json`: offset, size, time in seconds and key flag of each access unit, and the clip's
duration.
"""

import json
import sys
import threading
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PIPELINE = (
    "( appsrc name=source is-live=true format=time block=false max-bytes=8000000 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au "
    "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


class Player(threading.Thread):
    """Pushes a clip's access units in real time until the pipeline is gone."""

    def __init__(self, source, folder):
        super().__init__(daemon=True)
        self.source = source
        self.data = (folder / "video.h264").read_bytes()
        index = json.loads((folder / "units.json").read_text())
        self.units, self.duration_s = index["units"], index["duration_s"]
        self.stopped = False

    def run(self):
        began_s, offset_s = time.monotonic(), 0.0
        while not self.stopped:
            for sent_s, (start, size, time_s, key) in self.paced():
                pause_s = began_s + offset_s + sent_s - time.monotonic()
                if pause_s > 0:
                    time.sleep(pause_s)
                if self.stopped or not self.push(start, size, offset_s + time_s, key):
                    return
            offset_s += self.duration_s

    def paced(self):
        step_s = self.duration_s / len(self.units)
        return ((number * step_s, unit) for number, unit in enumerate(self.units))

    def push(self, start, size, time_s, key):
        buffer = Gst.Buffer.new_wrapped(self.data[start : start + size])
        buffer.pts = int((time_s + 0.2) * Gst.SECOND)
        if not key:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        return self.source.emit("push-buffer", buffer) == Gst.FlowReturn.OK


class LoopFactory(GstRtspServer.RTSPMediaFactory):
    """One pipeline for all viewers of a clip."""

    def __init__(self, folder):
        super().__init__()
        self.folder = Path(folder)
        self.set_launch(PIPELINE)
        self.set_shared(True)
        self.connect("media-configure", self.configure)

    def configure(self, _factory, media):
        player = Player(media.get_element().get_by_name("source"), self.folder)
        media.connect("unprepared", lambda *_: setattr(player, "stopped", True))
        player.start()


def require_login(server, factories, user, password, digest):
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)


def main():
    wanted = json.loads(sys.stdin.readline())
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(wanted["port"]))
    factories = {mount: LoopFactory(folder) for mount, folder in wanted["clips"].items()}
    for mount, factory in factories.items():
        server.get_mount_points().add_factory(f"/{mount}", factory)
    if wanted["udp"]:
        for factory in factories.values():
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if wanted["user"]:
        login = wanted["user"], wanted["password"], wanted["digest"]
        require_login(server, factories.values(), *login)
    server.attach(None)
    print(server.get_bound_port(), flush=True)  # noqa: T201 - this is how the test learns it
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


loop = GLib.MainLoop()
if __name__ == "__main__":
    main()
