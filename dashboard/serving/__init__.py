"""Serves the dashboard: gunicorn, its worker, and what strangers may hold."""
