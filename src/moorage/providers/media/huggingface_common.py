"""What the protocols of Hugging Face's tasks share: the path of a model."""

import re
from typing import Final

from moorage.providers.media.steps import Request

#: Other characters would lead to another path.
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")


def task_path(request: Request, task: str = "") -> str:
    """Return the path of the model, and of one of its tasks.

    Raises:
        NotSupportedByProvider
    """
    if not _MODEL.fullmatch(request.model):
        raise request.reject("model", f"{request.model!r:.100} is not the name of a model")
    return f"/hf-inference/models/{request.model}" + (f"/pipeline/{task}" if task else "")
