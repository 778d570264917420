"""Pictures on their way between stages: frames, views, uploads, recordings."""
