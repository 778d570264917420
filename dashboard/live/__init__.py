"""Live pictures and states: the wall, MJPEG, events."""
