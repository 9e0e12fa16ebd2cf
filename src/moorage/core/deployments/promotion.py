"""Promotion: another environment gets the live versions of one, all in one transaction."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.deployment import MAX_NOTES
from moorage.core.deployments.proposal import MAX_ITEMS


class PromotedDeployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment to promote, with the states that the client has seen: they must be the current ones."""

    key: Annotated[str, Meta(min_length=1, max_length=128)]
    version: (
        Annotated[str, Meta(max_length=128, description="The number or id of the live version in `from`.")] | UnsetType
    ) = UNSET
    base: Annotated[
        str | UnsetType | None,
        Meta(description="The number or id of the live version in `to`, `follows`, or null for none."),
    ] = UNSET


class PostPromotion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v2/promotions`."""

    from_: Annotated[str, Meta(max_length=40)] = msgspec.field(name="from")
    to: Annotated[str, Meta(max_length=40)]
    deployments: Annotated[list[PromotedDeployment], Meta(min_length=1, max_length=MAX_ITEMS)]
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET
    allow_breaking: bool = False


class PromotionItem(msgspec.Struct, frozen=True):
    """A deployment after a promotion. `from_version` is the one that was live in `to`, or null."""

    key: str
    from_version: str | None
    version: str
    result: Literal["promoted", "unchanged"]
    breaking: list[str]


class Promotion(msgspec.Struct, frozen=True):
    """The response to a promotion: all of it has one revision."""

    revision: int
    deployments: list[PromotionItem]


class ProposedDeployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stored version of a deployment, by its number or id, and the file that manages the deployment afterwards.

    Without a `version`, the deployment follows production afterwards.
    """

    key: Annotated[str, Meta(min_length=1, max_length=128)]
    version: Annotated[str, Meta(max_length=128)] | None
    base: Annotated[str, Meta(max_length=128)] | UnsetType | None = UNSET
    file: Annotated[str, Meta(min_length=1, max_length=1_000)] | UnsetType = UNSET


class PostProposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v2/proposals`: stored versions that are to become live together in an environment."""

    environment: Annotated[str, Meta(max_length=40)]
    deployments: Annotated[list[ProposedDeployment], Meta(min_length=1, max_length=MAX_ITEMS)]
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET
    allow_breaking: bool = False
