"""The warnings about the content of a version. They never reject a write."""

from collections.abc import Sequence

from moorage.core.compatibility.breaking import templates_of
from moorage.core.compatibility.contract import VariableFinder, VariableNames
from moorage.core.deployments.content import StoredContent, VariantContent
from moorage.core.deployments.variant import Fallback
from moorage.core.errors.base import Problem
from moorage.core.lint.no_templates import check_no_templates
from moorage.core.lint.parameters import check_parameters
from moorage.core.lint.schemas import SchemaChecker
from moorage.core.lint.variables import check_variables
from moorage.core.routing.rules import DEFAULT_VARIANT
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report


def lint(content: StoredContent, find_variables: VariableFinder) -> list[Problem]:
    """Return the warnings about a content, at most `MAX_PROBLEMS`, each with its path.

    Args:
        content: Valid content.
        find_variables: Finds the variables of jinja templates.
    """
    decoded, report, schemas, root = content.decode(), Report(), SchemaChecker(), JsonPath()
    runtime_config, variants = decoded.runtime_config, decoded.variants()
    jinja = [name for name, variant in variants.items() if variant.settings.engine == "jinja"]
    found = find_variables([templates_of(variants[name]) for name in jinja]) if jinja else ()
    names: dict[str, VariableNames] = dict(zip(jinja, found, strict=True))
    _check(variants[DEFAULT_VARIANT], runtime_config.fallbacks, names.get(DEFAULT_VARIANT), root, report, schemas)
    for index, variant in enumerate(runtime_config.variants):
        path = root / "variants" / index
        _check(variants[variant.name], variant.fallbacks or (), names.get(variant.name), path, report, schemas)
    return report.problems


def _check(
    variant: VariantContent,
    fallbacks: Sequence[Fallback],
    jinja_names: VariableNames,
    path: JsonPath,
    report: Report,
    schemas: SchemaChecker,
) -> None:
    config, config_path = variant.prompt_config, path / "prompt_config"
    check_variables(variant, jinja_names, report, path)
    cache = variant.settings.cache
    if cache and cache.enabled and cache.seconds is None:  # stored before such a cache was rejected
        report.problem(path / "settings" / "cache", "has no effect: only `exact` with a `ttl` above 0 caches responses")
    check_no_templates(config, report, config_path)
    schemas.check_tools(config.tools, report, config_path / "tools")
    models = [(config.provider, config.model_type, config.model_parameters, config_path / "model_parameters")]
    for index, each in enumerate(fallbacks):
        where = path / "fallbacks" / index / "model_parameters"
        models.append((each.provider, each.model_type, each.model_parameters, where))
    for provider, model_type, parameters, where in models:
        check_parameters(provider, model_type, parameters, report, where)
        schemas.check_response_format(parameters, report, where / "responseFormat")
