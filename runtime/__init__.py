"""The common parts of all processes: settings, logs, tracing, signals, limits, secrets."""
