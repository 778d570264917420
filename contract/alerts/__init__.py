"""Alert rules and channels, alerts, and the messages about them."""
