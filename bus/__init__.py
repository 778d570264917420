"""Everything that speaks Redis. No other package imports `redis` or `rq`."""
