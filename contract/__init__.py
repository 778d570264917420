"""What two stages would break on if they disagreed, and nothing else.

Settings, errors, the camera record, messages in Redis, the keys they live under,
who owns a camera, and the names of the totals. Imports nothing from any stage.
"""
