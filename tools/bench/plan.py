"""Amount of measurement."""

import msgspec


class Plan(msgspec.Struct, frozen=True):
    """Rounds, whole seconds, and numbers of deployments. `comparisons` is the number of server starts per checkout."""

    seed: int
    rounds: int = 5
    seconds: int = 3
    latency_rounds: int = 5
    latency_seconds: int = 2
    warm_up: int = 1
    deployments: int = 10_000
    largest: int = 100_000
    starts: int = 3
    paced_writes: int = 600
    storm_rounds: int = 5
    storm_seconds: int = 4
    comparisons: int = 3
    first_events: int = 200
    calls: int = 100_000
    open_streams: int = 2_000
    is_quick: bool = False

    @classmethod
    def quick(cls, seed: int) -> "Plan":
        """Return a plan that only shows that the measurements work."""
        return cls(
            seed, rounds=2, seconds=1, latency_rounds=1, latency_seconds=1, deployments=2_500, largest=5_000, starts=1,
            paced_writes=75, storm_rounds=1, storm_seconds=2, comparisons=1,
            first_events=20, calls=5_000, open_streams=100, is_quick=True,
        )  # fmt: skip
