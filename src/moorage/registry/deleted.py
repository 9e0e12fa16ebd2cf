"""The deleted deployments of a project that can be restored."""

from moorage.core.deployments.deleted import DeletedItem, DeletedPage, DeletedRow
from moorage.core.deployments.deployment import restore_deadline_us
from moorage.core.deployments.page import PageQuery
from moorage.core.times import iso
from moorage.store.reader import Reader

#: The deletion is among so many last entries of a history: the others are proposals to restore.
_ENTRIES = 50


def deleted_page(reader: Reader, project_id: str, query: PageQuery) -> DeletedPage:
    """Return a page of the deployments that can be restored, with who deleted them, and why.

    Raises:
        InvalidCursor: the cursor is not a deleted deployment of this project.
    """
    found, has_more = reader.deleted_deployments(project_id, query)
    return DeletedPage("list", [_item(reader, each) for each in found], has_more)


def _item(reader: Reader, row: DeletedRow) -> DeletedItem:
    entries, _ = reader.history(row.id, PageQuery(_ENTRIES))
    deletion = next((entry for entry in entries if entry.action == "deleted"), None)
    return DeletedItem(
        id=row.id,
        key=row.key,
        description=row.description,
        deleted_at=iso(row.place),
        deleted_by=None if deletion is None else deletion.api_key,
        reason="" if deletion is None else deletion.reason,
        restorable_until=iso(restore_deadline_us(row.place)),
    )
