"""Serves people and Prometheus: the wall of live pictures, the API and the metrics."""
