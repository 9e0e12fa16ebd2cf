"""The warnings about the content of a version. They never reject a write."""

from collections.abc import Iterator
from datetime import date

from moorage.core.compatibility.breaking import templates_of
from moorage.core.compatibility.contract import VariableFinder, VariableNames
from moorage.core.deployments.content import StoredContent, VariantContent
from moorage.core.deployments.prompt_config import PromptConfig
from moorage.core.deployments.variant import Fallback
from moorage.core.errors.base import Problem
from moorage.core.lint.models import check_model
from moorage.core.lint.no_templates import check_no_templates
from moorage.core.lint.parameters import check_parameters
from moorage.core.lint.rules import check_rules
from moorage.core.lint.schemas import SchemaChecker
from moorage.core.lint.variables import check_variables
from moorage.core.routing.rules import DEFAULT_VARIANT
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report


def lint(content: StoredContent, find_variables: VariableFinder, today: date) -> list[Problem]:
    """Return the warnings about a content, at most `MAX_PROBLEMS`, each with its path.

    Args:
        content: Valid content.
        find_variables: Finds the variables of jinja templates.
        today: The date in UTC, with which the retirements of models are compared.
    """
    decoded, report, schemas, root = content.decode(), Report(), SchemaChecker(), JsonPath()
    runtime_config, variants = decoded.runtime_config, decoded.variants()
    jinja = [name for name, variant in variants.items() if variant.settings.engine == "jinja"]
    found = find_variables([templates_of(variants[name]) for name in jinja]) if jinja else ()
    names: dict[str, VariableNames] = dict(zip(jinja, found, strict=True))
    checked = [(DEFAULT_VARIANT, runtime_config.fallbacks, root)]
    for index, each in enumerate(runtime_config.variants):
        checked.append((each.name, each.fallbacks or [], root / "variants" / index))
    for name, fallbacks, path in checked:
        _check(variants[name], names.get(name), report, path)
        schemas.check_tools(variants[name].prompt_config.tools, report, path / "prompt_config" / "tools")
        for model, where in _models(variants[name].prompt_config, fallbacks, path):
            check_model(model.provider, model.model, today, report, where / "model")
            parameters, place = model.model_parameters, where / "model_parameters"
            check_parameters(model.provider, model.model_type, parameters, report, place)
            check_rules(model.provider, model.model, model.model_type, parameters, report, place)
            schemas.check_response_format(parameters, report, place / "responseFormat")
    return report.problems


def _check(variant: VariantContent, jinja_names: VariableNames, report: Report, path: JsonPath) -> None:
    check_variables(variant, jinja_names, report, path)
    cache = variant.settings.cache
    if cache and cache.enabled and cache.seconds is None:  # stored before such a cache was rejected
        report.problem(path / "settings" / "cache", "has no effect: only `exact` with a `ttl` above 0 caches responses")
    check_no_templates(variant.prompt_config, report, path / "prompt_config")


def _models(
    config: PromptConfig, fallbacks: list[Fallback], path: JsonPath
) -> Iterator[tuple[PromptConfig | Fallback, JsonPath]]:
    """Yield the model of a variant and its fallbacks, each with its path."""
    yield config, path / "prompt_config"
    for index, fallback in enumerate(fallbacks):
        yield fallback, path / "fallbacks" / index
