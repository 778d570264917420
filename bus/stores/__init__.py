"""One store for each subject: its keys, its scripts, its records."""
