"""Peers beside Moorage: installed, started, checked, and ready to be measured in the same rounds."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from tools.bench.called import INVOKE, STREAM, Called, check_response, check_stream
from tools.bench.peers import PEERS, NotInstalled, Peer
from tools.bench.provider import BURSTS, UNARY
from tools.bench.rounds import Contenders
from tools.bench.wrk import run
from tools.common.machine import Cores


class Beside(msgspec.Struct):
    """The peers as contenders for calls with and without a stream; `notes` is a list in Markdown."""

    unary: Contenders = {}
    streams: Contenders = {}
    notes: str = ""


@contextmanager
def started(cache: Path, cores: Cores, folder: Path, subject: Called) -> Iterator[Beside]:
    """Start all peers that can be installed on the core of the server."""
    beside, lines = Beside(), list[str]()
    with ExitStack() as stack:
        for kind in PEERS:
            peer = kind(cache, folder / kind.title, cores.server, subject.base_url)
            try:
                peer.install()
                stack.enter_context(peer)
                lines.append(f"- {kind.title} {kind.version}: {kind.remarks}. {_add(beside, subject, peer)}")
            except (NotInstalled, RuntimeError) as error:
                lines.append(f"- {kind.title} {kind.version} was not measured: {str(error).strip()[:200]}.")
        beside.notes = "\n".join(lines)
        yield beside


def _add(beside: Beside, subject: Called, peer: Peer) -> str:
    """Add the loads of a peer; return a sentence if it has no streams."""
    body = peer.body(subject.sent(INVOKE, subject.bodies("invoke", UNARY)[0]), UNARY, is_stream=False)
    check_response(peer, peer.target, peer.token, body, peer.headers)
    load = subject.load(peer, peer.target, peer.title, [body], peer.token, peer.headers)
    beside.unary[peer.title] = partial(run, load)
    body = peer.body(subject.sent(STREAM, subject.bodies("invoke", BURSTS)[0]), BURSTS, is_stream=True)
    try:
        check_stream(peer, peer.target, peer.token, body, peer.headers)
    except (OSError, RuntimeError):
        return "It failed to stream the response."
    load = subject.load(peer, peer.target, f"{peer.title}-stream", [body], peer.token, peer.headers)
    beside.streams[peer.title] = partial(run, load)
    return ""
