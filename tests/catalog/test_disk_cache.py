"""The disk cache: its file, which is written completely or not at all, and the age of the state in it."""

import math
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from moorage.catalog.disk_cache import DiskCache
from moorage.catalog.state import CatalogState
from moorage.core.integrations import Credentials, Integration
from moorage.core.secret_keys import SecretKeys
from moorage.store.changes import StorePosition
from moorage.store.sealing import KeyRing


def link(path: Path) -> None:
    path.symlink_to("victim")


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def a_folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


KINDS: list[Callable[[Path], None]] = [link, device, a_folder, fifo]


@pytest.fixture
def cache(folder: Path) -> DiskCache:
    """Return a disk cache that is not written yet; `victim` must not change."""
    (folder / "victim").write_text("victim")
    return DiskCache(folder / "cache", "postgresql://one", b"password")


@pytest.mark.parametrize("name", ["cache", "cache.lock"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_nothing_but_a_regular_file_is_written(
    cache: DiskCache, folder: Path, kind: Callable[[Path], None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind(folder / name)
    before = (folder / name).lstat()

    cache.save(CatalogState(), 0.0)

    assert (folder / "victim").read_text() == "victim"
    assert (folder / name).lstat().st_ino == before.st_ino
    (record,) = caplog.records
    assert "cannot be written" in record.getMessage()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_file_that_was_replaced_is_not_confirmed(
    cache: DiskCache, folder: Path, kind: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.save(CatalogState(), 0.0)
    monkeypatch.setattr(cache, "_not_before", 0.0)  # without the pause of a few seconds
    (folder / "cache").unlink()
    kind(folder / "cache")

    cache.save(CatalogState(), 0.0)

    assert (folder / "victim").read_text() == "victim"


def test_no_link_with_the_name_of_a_temporary_file_is_followed(cache: DiskCache, folder: Path) -> None:
    link(folder / "cache.partial")

    cache.save(CatalogState(), 0.0)

    assert (folder / "victim").read_text() == "victim"
    assert cache.load() is not None
    assert (folder / "cache").stat().st_mode & 0o777 == 0o600


def test_what_a_killed_server_left_is_removed(cache: DiskCache, folder: Path) -> None:
    (folder / ".moorage-1.part").touch()
    os.utime(folder / ".moorage-1.part", (1, 1))

    cache.save(CatalogState(), 0.0)

    assert {path.name for path in folder.iterdir()} == {"cache", "cache.lock", "victim"}


def test_a_device_is_not_read_to_its_end() -> None:
    assert DiskCache(Path("/dev/zero"), "postgresql://one", b"password").load() is None


DAY = 86_400.0


@pytest.mark.parametrize(
    ("seconds_ago", "at_least", "at_most"), [(DAY, DAY, 2 * DAY), (0, 0, DAY), (-DAY, 1_000 * DAY, math.inf)]
)
def test_a_state_from_the_future_has_an_unknown_age_and_not_none(
    folder: Path, seconds_ago: float, at_least: float, at_most: float
) -> None:
    """A clock was ahead when it was stored: nobody knows for how long API keys could be revoked since."""
    state = CatalogState()
    DiskCache(folder / "cache", "postgresql://host/name", b"secret").save(state, seconds_ago)

    found = DiskCache(folder / "cache", "postgresql://host/name", b"secret").load()

    assert found is not None
    assert at_least <= found[1] <= at_most


def test_integrations_are_in_it_with_encrypted_credentials(cache: DiskCache) -> None:
    ring, opened = KeyRing(SecretKeys(["s" * 40])), Credentials({"api_key": "planted-key"}, {"x": "planted-header"})
    sealed = ring.seal("p", "i", opened)
    integration = Integration(
        id="i", project_id="p", name="openai", provider="openai", options={"timeout_total_s": 5},
        credentials=sealed.credentials, headers=sealed.headers, key_id=sealed.key_id, rev=3,
    )  # fmt: skip
    state = CatalogState()
    state.apply(StorePosition("e", 3, ""), (), (), [integration])

    cache.save(state, 0.0)

    loaded = cache.load()
    assert loaded is not None
    assert loaded[0].integrations.project("p").find("openai") == integration
    assert b"planted" not in msgspec.msgpack.encode(loaded[0].integrations.stored())
    assert ring.open(integration) == opened
