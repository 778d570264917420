"""Parts of the speed benchmarks: loads, and what a span of time cost."""
