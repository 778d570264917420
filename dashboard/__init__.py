"""What people and Prometheus see: the wall of live pictures, the API and the metrics."""
