"""Versions of views and bundles by id, folded from their own facts."""

from collections.abc import Awaitable, Callable
from typing import Any

from letopis.common.errors import Refused
from letopis.common.handling import Loaded
from letopis.features.bundle.decider import BUNDLE, BundleUnknown
from letopis.features.bundle.events import BundleRegistered
from letopis.features.view.decider import VIEW, split_id
from letopis.features.view.events import ViewRegistered

Load = Callable[[Any, str], Awaitable[Loaded[Any]]]


class ViewUnknown(Refused):
    """No view version has this id, or it has no such feature."""

    code = "view.unknown"
    title = "There is no such version of a view, or no such feature in it"


async def view_of(load: Load, view_id: str) -> ViewRegistered:
    """A version of a view; ViewUnknown if there is none."""
    name, number = split_id(view_id)
    found: ViewRegistered | None = (await load(VIEW, name)).state.all.get(number)
    if found is None:
        raise ViewUnknown(f"there is no view {view_id}")
    return found


async def bundle_of(load: Load, bundle_id: str) -> BundleRegistered:
    """A version of a bundle; BundleUnknown if there is none."""
    name, number = split_id(bundle_id)
    found: BundleRegistered | None = (await load(BUNDLE, name)).state.all.get(number)
    if found is None:
        raise BundleUnknown(f"there is no bundle {bundle_id}")
    return found
