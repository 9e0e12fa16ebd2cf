"""What the orq-ai-sdk of a version makes of list pages: reads one a line, as JSON, and answers `read` or `rejected`.

It runs in a process of its own, because a process can import one version of the SDK.
"""

import sys

from orq_ai_sdk import models
from orq_ai_sdk._version import __version__
from pydantic import ValidationError

assert __version__ == sys.argv[1]
for line in sys.stdin:
    try:
        models.DeploymentsResponseBody.model_validate_json(line)
        print("read", flush=True)  # noqa: T201 -- its answer
    except ValidationError:
        print("rejected", flush=True)  # noqa: T201 -- its answer
