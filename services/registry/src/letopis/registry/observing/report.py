"""The observer's report: counts by rule and by person, and every finding."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from letopis.registry.observing.finding import Finding


def report(models: int, used: int, rows: int, revision: str, found: Iterable[Finding]) -> dict[str, Any]:
    """As JSON values; findings in the order of rule, object and person."""
    findings = sorted(found, key=lambda one: (one.rule, one.what, one.whom))
    by_rule: Counter[str] = Counter()
    by_person: Counter[str] = Counter()
    for one in findings:
        by_rule[one.rule] += one.count
        by_person[one.whom] += one.count
    return {
        "type": "observer_report",
        "schema_version": 1,
        "policy_revision": revision,
        "versions": models,
        "versions_in_use": used,
        "decisions": rows,
        "by_rule": dict(sorted(by_rule.items())),
        "by_person": dict(sorted(by_person.items())),
        "findings": [asdict(one) for one in findings],
    }


def lines(told: dict[str, Any]) -> list[str]:
    """The report in words."""
    looked = f"{told['versions']} versions ({told['versions_in_use']} in use) and {told['decisions']} decisions"
    found = [f"{looked} were looked at; nothing was changed; policy {told['policy_revision'][:12]}"]
    words = {one["rule"]: one for one in told["findings"]}
    for rule, count in told["by_rule"].items():
        one = words[rule]
        found.append(f"{rule}: {count} would have been refused ({one['message']}; owner: {one['owner']})")
    found.append("for: " + ", ".join(f"{who or 'unknown'} {count}" for who, count in told["by_person"].items()))
    return found
