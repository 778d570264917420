"""The accounts and all that belongs to them, as Redis keeps them."""
