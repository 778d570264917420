"""Several hosts on one machine: their links, their clocks, and what they send."""
