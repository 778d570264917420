"""Audits: people judge some of those who were counted, without seeing the verdict."""
