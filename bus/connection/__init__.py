"""Connects to Redis, and explains its faults."""
