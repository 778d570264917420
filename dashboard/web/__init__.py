"""The parts that views share: errors, guards, requests, conditional answers."""
