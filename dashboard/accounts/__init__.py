"""Who may do what: users, API keys, sessions, one-time links, and the log of what they did."""
