#!/bin/sh
# Installs the system programs that some tests drive: a real RTSP server, a real browser,
# promtool, Redis 7, a firewall. Where that is not allowed, those tests skip and say so.
set -u
wanted=""
[ -n "$(ls /usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib 2>/dev/null)" ] ||
    wanted="$wanted python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
command -v chromium >/dev/null && command -v chromedriver >/dev/null || wanted="$wanted chromium chromium-driver"
command -v promtool >/dev/null || wanted="$wanted prometheus"
# Redis 7 with TLS, under a name that starts no server: see tests/servers/redis_server.py.
[ -e /usr/bin/redis-check-rdb ] || wanted="$wanted redis-tools"
command -v iptables >/dev/null || wanted="$wanted iptables"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed (needs root and apt-get), their tests will skip:$wanted"
    exit 0
fi
echo "installing for the tests:$wanted"
export DEBIAN_FRONTEND=noninteractive
{ apt-get -qq update && apt-get -qq install -y --no-install-recommends $wanted; } >/dev/null 2>&1 ||
    echo "could not install all of:$wanted; their tests will skip"
exit 0
