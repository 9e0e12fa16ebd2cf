"""Programs that fork after they have created a client. Each line of the output is a JSON value.

A program waits for a line of its input before it forks, and after that in each process where the test must act first.
"""

import asyncio
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moorage.client import AsyncMoorage, Config, Moorage
from moorage.client import usage as usage_reports
from tests.support.threads import HANG_SECONDS, until

Act = Callable[[], None]


def say(value: Any) -> None:
    os.write(1, json.dumps(value).encode() + b"\n")


def await_test() -> None:
    while os.read(0, 1) != b"\n":
        pass


def fork(child: Act) -> None:
    """Run a function in a child, and wait for its end."""
    pid = os.fork()
    if pid == 0:
        try:
            child()
        except BaseException as error:  # noqa: BLE001 -- the test reads it
            say(repr(error))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def sockets(pid: int | str) -> set[str]:
    """Return the sockets of a process."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except FileNotFoundError:  # it was that of the folder
            continue
    return {name for name in found if name.startswith("socket:")}


def await_version(client: Moorage, version: str) -> Config:
    until(lambda: client.get_config("greeting").version == version)
    return client.get_config("greeting")


def threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name == "moorage-client")


def publish(client: Moorage) -> None:
    """The child and its child see a version that is published after the forks; so does the parent."""
    say(client.get_config("greeting").version)

    def child() -> None:
        fork(grandchild)
        say(["child", await_version(client, "1.1").source])

    def grandchild() -> None:
        say("forked")
        await_test()
        say(["grandchild", await_version(client, "1.1").source])

    fork(child)
    say(["parent", await_version(client, "1.1").source])


def environment(client: Moorage) -> None:
    """Both processes see a version that is published in the environment of the client, and none of another one."""
    first = client.get_config("greeting").model
    say(first)

    def follow(name: str) -> None:
        found: list[str] = []

        def is_changed() -> bool:
            found.append(client.get_config("greeting").model)
            return found[-1] != first

        until(is_changed)
        say([name, found[-1]])

    def child() -> None:
        say("forked")
        await_test()
        follow("child")

    fork(child)
    follow("parent")


def publish_async(url: str, token: str) -> None:
    async def until_version(client: AsyncMoorage, version: str) -> None:
        while (await client.get_config("greeting")).version != version:  # noqa: ASYNC110 -- another thread updates it
            await asyncio.sleep(0.005)

    client = AsyncMoorage(url, token, cache=None)
    asyncio.run(until_version(client, "1.0"))

    def child() -> None:
        say("forked")
        await_test()
        asyncio.run(until_version(client, "1.1"))
        say("seen")

    fork(child)


def closed(url: str, token: str) -> None:
    """Only the client that is open and referenced runs in the child."""
    clients = [Moorage(url, token, cache=None) for _ in range(3)]
    for client in clients:
        client.get_config("greeting")
    clients[0].close()
    del clients[1], client
    gc.collect()
    until(lambda: len(threads()) == 1)
    fork(lambda: say([threads(), clients[0].get_config("greeting").version, await_version(clients[1], "1.0").source]))


def in_request(client: Moorage) -> None:
    """The fork happens while the parent reads a response."""
    await_test()

    def child() -> None:
        common = sockets("self") & sockets(os.getppid())
        say(["forked", sorted(common)])
        config = await_version(client, "1.0")
        say(["child", config.source])

    fork(child)
    say(["parent", await_version(client, "1.0").source])


def locked(client: Moorage) -> None:
    """At the fork, another thread holds the locks of the client."""
    client.get_config("greeting")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with vars(client._sync._closing)["_cond"], vars(client._sync._tried)["_cond"]:
            held.set()
            release.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()

    def child() -> None:
        say(client.get_config("greeting").version)
        client.close()
        say("closed")

    fork(child)
    release.set()
    holder.join()


def unreachable(client: Moorage) -> None:
    """The age grows in the child while the server is unreachable."""
    client.get_config("greeting")

    def child() -> None:
        say("forked")
        await_test()  # the test stopped the server
        until(lambda: "refused" in client._sync._status["server"])
        before_time, before = time.monotonic(), client.get_config("greeting")
        after, after_time = client.get_config("greeting"), time.monotonic()
        say([before.source, after.version, 0 <= after.age - before.age <= after_time - before_time, before.age > 0])
        say("starts")
        until(lambda: client.get_config("greeting").version == "1.1")
        say(client.get_config("greeting").source)

    fork(child)


def first_request(client: Moorage) -> None:
    """The parent has used the disk cache; the child reaches the server."""
    say(client.get_config("greeting").source)

    def child() -> None:
        say(client.get_config("greeting").source)
        await_test()  # the test started the server
        until(lambda: client.get_config("greeting").source == "server")
        say("server")

    fork(child)


def writers(client: Moorage) -> None:
    """Two processes follow the same changes with the same disk cache."""
    client.get_config("greeting")

    def child() -> None:
        say("forked")
        await_version(client, "1.9")
        client.close()

    fork(child)
    await_version(client, "1.9")
    client.close()
    say("closed")


def usage(client: Moorage) -> None:
    """Each process reports its own use; the end of the program sends the parent's report."""
    client.get_config("greeting", {"parent": 1})

    def child() -> None:
        client.get_config("greeting", {"child": 1})
        client.close()
        say(["child", *client.usage_reports])

    fork(child)


def exit_without_close(url: str, token: str) -> None:
    """The program ends without closing its client."""
    globals()["kept"] = Moorage(url, token, cache=None, lockfile=None)
    globals()["kept"].get_config("greeting", {"customer": "secret"})


def jinja(client: Moorage) -> None:
    """Both processes render jinja templates, after the fork, too."""
    say(client.get_config("greeting", {"customer": "Ada"}).messages[0]["content"])
    fork(lambda: say(client.get_config("greeting", {"customer": "child"}).messages[0]["content"]))
    say(client.get_config("greeting", {"customer": "parent"}).messages[0]["content"])


def main(name: str, url: str, token: str, cache: str, environment: str) -> None:
    usage_reports.CLOSE_SECONDS = HANG_SECONDS  # a loaded machine can take longer
    if name in {"closed", "publish_async", "exit_without_close"}:
        globals()[name](url, token)
        return
    options: dict[str, Any] = {"cache": cache or None, "lockfile": None, "jinja": name == "jinja"}
    options["environment"] = environment or None
    with Moorage(url, token, **options) as client:
        globals()[name](client)


if __name__ == "__main__":
    main(*sys.argv[1:])
