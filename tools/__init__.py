"""Developer tools that are not part of the package: benchmarks, fault injection, word counts."""
