"""Jobs of RQ: their queue, the processes that run them, retries."""
