"""Serves the dashboard: gunicorn, its worker, and the proxies in front."""
