"""A script that parses list pages, one per line, with one version of orq-ai-sdk. It prints `parsed` or `rejected`.

It runs in a separate process, because a process can import only one version of the SDK.
"""

import sys

from orq_ai_sdk import models
from orq_ai_sdk._version import __version__
from pydantic import ValidationError

assert __version__ == sys.argv[1]
for line in sys.stdin:
    try:
        models.DeploymentsResponseBody.model_validate_json(line)
        print("parsed", flush=True)  # noqa: T201 -- the test reads the output
    except ValidationError:
        print("rejected", flush=True)  # noqa: T201 -- the test reads the output
