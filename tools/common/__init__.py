"""Code shared by the benchmarks and the fault injection."""
