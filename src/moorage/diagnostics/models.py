"""Live versions with models that their providers retired, or will retire."""

from collections.abc import Iterable, Iterator
from datetime import date

from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.retired_models import Retirement, find_retirement
from moorage.core.deployments.version_models import version_models
from moorage.diagnostics.finding import Finding, join_names


def model_findings(rows: Iterable[tuple[str, str, str, str, str]], today: date) -> Iterator[Finding]:
    """Yield a warning for each model with a known retirement, the earliest first.

    A row has the project, the key, the environment (empty: production), and the prompt and runtime configurations of a
    live version. One that cannot be decoded has its own finding, so it is skipped.
    """
    found: dict[Retirement, list[str]] = {}
    for project, key, environment, prompt_config, runtime_config in rows:
        try:
            models = version_models(prompt_config, runtime_config)
        except (TypeError, *DECODE_ERRORS):
            continue
        name = f"{project}/{key}" + (f" in {environment}" if environment else "")
        for retirement in {row for provider, model in models if (row := find_retirement(provider, model)) is not None}:
            found.setdefault(retirement, []).append(name)
    for retirement in sorted(found, key=lambda row: (row.retires, row.provider, row.model)):
        yield _finding(retirement, join_names(found[retirement]), today)
    if not found:
        yield Finding("ok", "models", "no live version has a model with a known date of retirement")


def _finding(retirement: Retirement, names: str, today: date) -> Finding:
    verb = "was retired" if retirement.status(today) == "retired" else "will be retired"
    text = f"{retirement.provider}/{retirement.model} {verb} on {retirement.day} ({names})"
    replacement = retirement.replacement or "another model"
    return Finding("warning", "models", text, f"publish a version with {replacement}; see {retirement.source.url}")
