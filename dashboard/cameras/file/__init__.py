"""Many cameras in a file: exported, read, compared, imported."""
