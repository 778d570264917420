"""Alerts on the dashboard: pages and API. What evaluates and delivers is the package `alerts`."""
