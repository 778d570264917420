"""Many cameras as one file: written, read back, and compared with those there are."""
