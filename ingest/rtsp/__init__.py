"""The relay between FFmpeg and RTSP cameras."""
