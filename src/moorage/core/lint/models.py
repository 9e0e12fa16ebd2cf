"""Warnings about models that their provider retired, or will retire."""

from datetime import date

from moorage.core.deployments.retired_models import find_retirement
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report


def check_model(provider: str, model: str, today: date, report: Report, path: JsonPath) -> None:
    """Report a model with a known date of retirement, past or future."""
    found = find_retirement(provider, model)
    if found is not None:
        verb = "was retired" if found.status(today) == "retired" else "will be retired"
        use = found.replacement or "another model"
        report.problem(path, f"{found.model} {verb} by {provider} on {found.day}: use {use} ({found.source.url})")
