"""Pictures that travel between stages: frames, views, uploads, recordings."""
