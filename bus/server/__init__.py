"""Redis' server itself: one that we start, and what each user may do in any."""
