"""The living processes of each role, and the cameras that they hold."""
