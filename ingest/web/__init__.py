"""Web cameras and HLS: we ask, and FFmpeg opens no address."""
