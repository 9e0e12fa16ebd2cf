"""The types of columns: SQLite stores any type, and both engines store any number and text."""

from typing import Annotated

from msgspec import Meta

from moorage.core.access import MAX_NAME
from moorage.core.environments import NAME_PATTERN
from moorage.core.times import LAST_US

Id = Annotated[
    str, Meta(pattern=r"\A[!#-\[\]-~]{1,128}\Z", description="an id, 1 to 128 visible characters without quotes")
]
Key = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.\-]{1,128}\Z", description="a key, 1 to 128 of a-z A-Z 0-9 _ - .")]
Aliases = Annotated[
    str,
    Meta(
        pattern=r"\A([A-Za-z0-9_.\-]{1,128}( [A-Za-z0-9_.\-]{1,128})*)?\Z",
        description="aliases, keys that are separated by spaces",
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, description=f"a name of 1 to {MAX_NAME} characters")]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z", description="a SHA-256, 64 hexadecimal digits")]
Mac = Annotated[
    str,
    Meta(
        pattern=r"\A([0-9a-f]{8}:[0-9a-f]{64})?\Z", description="a MAC, the id of a secret key and 64 digits, or empty"
    ),
]
Caller = Annotated[str, Meta(pattern=r"\A[!#-\[\]-~]{0,128}\Z", description="the id of an API key, or empty")]
Time = Annotated[int, Meta(ge=0, le=LAST_US, description=f"a time in microseconds since 1970, 0 to {LAST_US}")]
Count = Annotated[int, Meta(ge=0, description="a whole number, 0 or more")]
Flag = Annotated[int, Meta(ge=0, le=1, description="0 or 1")]
EnvironmentName = Annotated[
    str, Meta(pattern=rf"\A{NAME_PATTERN}\Z", description="the name of an environment, 1 to 40 of a-z 0-9 -")
]
Part = Annotated[int, Meta(ge=0, le=999_999_999, description="a part of a version number, 0 to 999999999")]


KeyId = Annotated[
    str, Meta(pattern=r"\A([0-9a-f]{8})?\Z", description="the id of a secret key, 8 hexadecimal digits, or empty")
]
