"""`python -m maskwatch`."""

from maskwatch.cli import main

main()
