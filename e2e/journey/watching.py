"""Acts: a monitor from the training set, and the alarms it raises."""

from typing import Any

from e2e.journey.data import PURPOSE
from e2e.journey.world import World


def watch(world: World, version_id: str) -> None:
    """Anna defines the monitor: every input by month, against the training set the version names."""
    body = {"version_id": version_id, "window": {"unit": "month"}}
    world["anna"].post("monitoring", "/v1/monitors", body, purpose=PURPOSE)


def alerts(world: World, version_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world["boris"].get("monitoring", f"/v1/alerts?version_id={version_id}")
    return found


def recoding(world: World, version_id: str, month: str) -> dict[str, Any]:
    """The alert that the code 1 of `status` raises in the first bucket, once all of the month is counted."""

    def found() -> Any:
        return next(
            (
                one
                for one in alerts(world, version_id)
                if one["kind"] == "contract"
                and one["feature"] == "status"
                and one["level"] == "1"
                and one["first_bucket"].startswith(month[:7])
                and one["new_rows"] >= world.accounts
            ),
            None,
        )

    alert: dict[str, Any] = world.until(f"the alert about {month}", found)
    return alert


def acknowledge(world: World, alert: dict[str, Any]) -> None:
    path = f"/v1/alerts/{alert['alert_id']}/acknowledgements"
    world["boris"].post("monitoring", path, {"comment": "upstream recoded the status; asking the source's owner"})
