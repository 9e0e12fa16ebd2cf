"""Plan: how much is measured."""

import random

import msgspec


class Plan(msgspec.Struct, frozen=True):
    """How often and how long, and how many deployments. Times are in whole seconds, as wrk takes them."""

    seed: int
    rounds: int = 5
    seconds: int = 3
    latency_rounds: int = 5
    latency_seconds: int = 2
    warm_up: int = 1
    depth_rounds: int = 4
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    starts: int = 3
    applies: int = 3
    write_rounds: int = 3
    write_seconds: int = 4
    publish_rounds: int = 3
    publish_seconds: int = 3
    paced_writes: int = 600
    storm_rounds: int = 5
    storm_seconds: int = 4
    streams: int = 5_000
    is_quick: bool = False

    @classmethod
    def quick(cls, seed: int) -> "Plan":
        """To see that everything works; its numbers say little."""
        return cls(
            seed, rounds=2, seconds=1, latency_rounds=1, latency_seconds=1, depth_rounds=1,
            sizes=(1_000, 5_000, 20_000), starts=1, applies=1, write_rounds=1, write_seconds=2,
            publish_rounds=1, publish_seconds=1, paced_writes=75, storm_rounds=1, storm_seconds=2, streams=500,
            is_quick=True,
        )  # fmt: skip

    def shuffle(self, figure: str) -> random.Random:
        """What the order of one figure's rounds is drawn from."""
        return random.Random(f"{self.seed} {figure}")
