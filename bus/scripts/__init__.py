"""Lua that Redis runs, a file each, and how a script is called (ADR 0044)."""
