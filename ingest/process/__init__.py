"""The ingest process, its readers, and what they send to Redis."""
