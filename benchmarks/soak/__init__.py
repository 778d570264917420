"""A soak: hours of five cameras with faults injected at random, and what its files say."""
