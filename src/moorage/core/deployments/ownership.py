"""Ownership: a deployment is managed by a file or through the API."""

from typing import Literal

import msgspec

Owner = Literal["files", "api"]


class WriteOptions(msgspec.Struct, frozen=True):
    """Preconditions and overrides of a write.

    `if_match` lists the ETags of which the deployment must have one (None: any), and `must_not_exist` requires that
    there is no deployment. `file` is the file that the content comes from (None: the API). `take_ownership` changes
    content that the other side manages, `allow_breaking` publishes breaking changes, and `force` deletes content in
    use. An `emergency` needs no approval.
    """

    if_match: str | None = None
    must_not_exist: bool = False
    file: str | None = None
    take_ownership: bool = False
    allow_breaking: bool = False
    force: bool = False
    emergency: bool = False


def may_change(owner: Owner, file: str | None, options: WriteOptions) -> bool:
    """Return whether a write may change a deployment that `owner` manages and that was last applied from `file`.

    A file may adopt a deployment that was never managed by a file. It must not take back one that the API took over.
    """
    if options.take_ownership:
        return True
    return owner == "api" if options.file is None else owner == "files" or file is None
