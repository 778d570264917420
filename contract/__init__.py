"""Records, vocabulary and errors that stages must agree on, and nothing else.

Settings, errors, the camera record, messages in Redis, the keys they live under,
who owns a camera, and the names of the totals. Imports nothing from any stage.
"""
