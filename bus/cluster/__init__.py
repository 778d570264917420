"""A Redis Cluster, used like one Redis."""
