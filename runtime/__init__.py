"""What any process needs: settings, logs, tracing, signals, limits, secrets."""
