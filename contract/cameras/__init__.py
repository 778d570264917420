"""A registered camera, its layout, and what other stages say of it."""
