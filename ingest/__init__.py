"""From cameras to sampled frames in Redis: opens, decodes, samples, encodes, publishes."""
