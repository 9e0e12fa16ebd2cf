"""`/console/import`: files or a text become deployments, after a plan that says what changes."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from starlette.responses import Response

from moorage.console.form import Form
from moorage.console.import_form import Chosen, Imported, list_page, read_chosen
from moorage.console.import_plan import Planner, raise_unless_about_document, reasons
from moorage.console.import_proposal import Terms, propose, store
from moorage.console.page_request import PageRequest
from moorage.core.access import Scope
from moorage.core.environments import EnvironmentSettings, find_environment
from moorage.core.errors.base import MoorageError, PreconditionFailed
from moorage.core.errors.environments import NothingToPropose
from moorage.core.errors.requests import InvalidRequest
from moorage.documents.document import Document, read_contents

#: The limits of an import. `moorage apply` has larger ones.
MAX_BYTES: Final = 2 * 1024 * 1024
MAX_DOCUMENTS: Final = 200

#: The JSON of all documents, with what aliases stand for: it travels in the page, whose form has a limit of its own.
_MAX_JSON: Final = 6 * 1024 * 1024

_TEXT: Final = "the pasted text"


async def show(page: PageRequest) -> Response:
    """Show the form for files or a text."""
    return _show(page)


async def plan(page: PageRequest) -> Response:
    """Show what an import of the files and the text would do."""
    page.section, form = "import", await page.form()
    if _missing_scopes(page):
        return _show(page)
    try:
        documents = await page.compute(partial(_read, form))
        planner = Planner(page, is_one_proposal=_is_one_proposal(page))
        planned = [await planner.plan(document) for document in documents]
        if sum(len(each.body) for each in planned) > _MAX_JSON:
            raise InvalidRequest(param="files", reason=f"the documents have more than {_MAX_JSON:,} bytes as JSON")
    except MoorageError as error:
        return _show(page, form, error)
    show_plan = partial(
        page.render, "import_plan.html", planned=planned, reason=form.get("reason"),
        approvals=_environment(page).required_approvals, is_one_proposal=_is_one_proposal(page),
    )  # fmt: skip
    return await page.compute(show_plan)


async def apply(page: PageRequest) -> Response:
    """Put the documents that are ticked, in their order, if their deployments are as the plan showed them.

    Where approvals are required, propose all of them together instead, or none.
    """
    page.section, form = "import", await page.form()
    done, stopped, chosen, is_one_proposal = list[Imported](), None, read_chosen(form), False
    try:
        _check_approvals(page, form)
        is_one_proposal = _is_one_proposal(page)
        put, reason = store if is_one_proposal else _put, form.get("reason")
        for each in chosen:
            done.append(await put(page, each, reason))
        if is_one_proposal and all(each.result != "failed" for each in done):
            done = await propose(page, chosen, done, Terms(reason, form.get("once")))
    except MoorageError as error:
        stopped = page.failure(error)
    applied = {each.key for each in done if each.result not in ("failed", "drafted")}
    left = [each for each in chosen if each.key not in applied]
    show_done = partial(
        page.render, "import_done.html", status=stopped.status if stopped else 200, done=done, error=stopped,
        proposal=next((each.proposal for each in done if each.proposal), ""), is_one_proposal=is_one_proposal,
        count=len(applied), left=list_page(left) if left else "", reason=form.get("reason"),
    )  # fmt: skip
    return await page.compute(show_done)


def _check_approvals(page: PageRequest, form: Form) -> None:
    """Raise `NothingToPropose` if the plan was to propose, and the same form would publish now."""
    if "proposes" in form and not _environment(page).required_approvals:
        raise NothingToPropose(
            param="environment", name=page.environment, reason="it requires no approvals any more; make a new plan"
        )


async def _put(page: PageRequest, chosen: Chosen, reason: str) -> Imported:
    """Put a document; a form that was sent before finds it unchanged.

    Raises:
        MoorageError: others would have the same error.
    """
    key, headers = chosen.key, {**chosen.preconditions, "X-Moorage-Change-Reason": reason}
    try:
        result = await page.send("PutDeployment", chosen.body, query=chosen.query, headers=headers, key_or_id=key)
    except PreconditionFailed as error:
        query = {**chosen.query, "dry_run": "true"}
        try:
            now = await page.send("PutDeployment", chosen.body, query=query, key_or_id=key)
        except MoorageError:
            return Imported(key, "failed", why=reasons(error))
        if now.headers.get("x-moorage-result") == "unchanged":
            return Imported(key, "unchanged", now.value["version"])
        return Imported(key, "failed", why=["It was changed since the plan was shown. Nothing was changed."])
    except MoorageError as error:
        raise_unless_about_document(error)
        return Imported(key, "failed", why=reasons(error))
    if result.is_proposal:
        return Imported(key, "proposed", proposal=result.value["id"])
    return Imported(key, result.headers["x-moorage-result"], result.value["version"])


def _show(page: PageRequest, form: Form | None = None, error: MoorageError | None = None) -> Response:
    page.section = "import"
    failure = None if error is None else page.failure(error)
    return page.render(
        "import.html", status=failure.status if failure else 200, error=failure, missing=_missing_scopes(page),
        text="" if form is None else form.get("text"), reason="" if form is None else form.get("reason"),
        had_files=form is not None and any(True for _ in form.files("files")), maximum=MAX_DOCUMENTS,
    )  # fmt: skip


def _read(form: Form) -> list[Document]:
    """Return the documents of a form.

    Raises:
        InvalidRequest: there is none, or there is more than a page imports.
    """
    contents = list(_contents(form))
    if not contents:
        raise InvalidRequest(param="files", reason="choose files, or paste a text")
    if sum(len(content) for _, content in contents) > MAX_BYTES:
        reason = f"the files have more than {MAX_BYTES // 1024 // 1024} MiB; run `moorage apply` for them"
        raise InvalidRequest(param="files", reason=reason)
    documents = read_contents(contents, MAX_DOCUMENTS + 1)
    if len(documents) > MAX_DOCUMENTS:
        reason = f"the files have more than {MAX_DOCUMENTS} deployments; run `moorage apply` for them"
        raise InvalidRequest(param="files", reason=reason)
    return documents


def _contents(form: Form) -> Iterator[tuple[str, bytes]]:
    yield from ((file.name, file.content) for file in form.files("files"))
    if form.get("text").strip():
        yield _TEXT, form.get("text").encode()


def _environment(page: PageRequest) -> EnvironmentSettings:
    """Return the settings of the environment.

    Raises:
        EnvironmentNotFound
    """
    environments = page.services.catalog.environments(page.key.project_id)
    return find_environment(environments, page.environment).settings


def _is_one_proposal(page: PageRequest) -> bool:
    """Return whether an import is one proposal; an API key of one environment can only propose each change by itself.

    Raises:
        EnvironmentNotFound
    """
    return _environment(page).required_approvals > 0 and page.key.environment_id is None


def _missing_scopes(page: PageRequest) -> list[Scope]:
    """Return the scopes that the API key lacks to import into the environment."""
    needed = {Scope.READ, Scope.WRITE} | ({Scope.PUBLISH} if _environment(page).protected else set[Scope]())
    return sorted(needed - page.key.scopes)
