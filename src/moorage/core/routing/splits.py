"""Split: a stable share of the requests that meet the conditions of a rule.

One attribute, such as `user_id`, decides: its value has a *bucket*, 0.00 to 99.99, that depends only on the
deployment's key and the attribute's name. It is the first 8 bytes (big-endian) of
`SHA-256(<deployment key> 00 <attribute> 00 <value>)` modulo 10,000, in hundredths; the three are UTF-8, 00 is one byte.
"""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from moorage.core.routing.context import MAX_NAME
from moorage.core.validation.bounds import Number, bounded

#: The number of buckets: a percentage has two decimals.
BUCKETS = 10_000


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of the requests meeting a rule's conditions that gets its variant."""

    by: Annotated[
        str,
        Meta(min_length=1, max_length=MAX_NAME, description="The attribute that decides, such as `user_id`."),
    ]
    percent: Annotated[
        Number,
        bounded(0, 100, decimals=2, description="The share of matching requests in percent, with up to two decimals."),
    ]

    @property
    def share(self) -> int:
        """The number of buckets in the range."""
        return round(self.percent * 100)


def find_bucket(key: str, by: str, value: Any) -> int | None:
    """Return the bucket, 0 to 9,999, of an attribute's value in the deployment `key`.

    Only a non-empty string and a whole number have a bucket; `42`, `42.0` and `"42"` have the same.
    """
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if type(value) not in (str, int) or value == "":
        return None
    # A context created in Python can contain half a surrogate pair; JSON from a client cannot.
    digest = hashlib.sha256(f"{key}\0{by}\0{value}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % BUCKETS
