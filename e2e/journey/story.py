"""The whole journey in order; each act is told as it happens."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.journey import data, governing, modelling, people, proving, scoring, watching
from e2e.journey.world import World

SINGLE = 25


@dataclass(slots=True)
class Story:
    """What the journey found, for tests to look at and for the last lines of the demo."""

    versions: list[str] = field(default_factory=list)
    decisions: int = 0
    refused_decision: str = ""
    tampered_position: int = 0
    alert: dict[str, Any] = field(default_factory=dict)
    denied_at: str = ""
    pack: Path | None = None
    copy_url: str = ""
    checkpoint: Path | None = None
    rollback_seconds: float = 0.0


def play(world: World, folder: Path, between: Callable[[str], None] = lambda act: None) -> Story:
    """Everything from people to the tampered copy. `between` is called after each act with its name."""
    story = Story()
    people.enrol(world)
    between("people")
    data.bring(world)
    prepared = data.define(world)
    between("data")
    governing.intake(world)
    version = champion(world, prepared, story)
    between("champion")
    serve(world, prepared, story, version)
    between("serving")
    for month in (data.MAY, data.JUNE, data.JULY, data.AUGUST):
        score(world, story, month)
        between(month)
    world.tell("bank", f"May-August: {story.decisions:,} decisions recorded, 0 missing")
    september(world, prepared, story, version)
    between("september")
    challenge(world, prepared, story)
    between("challenger")
    problem, story.denied_at = data.snooping(world)
    world.tell("Oleg", f"reads a personal column  REFUSED {problem.rules[0]}, recorded at {story.denied_at}")
    between("denied")
    tamper(world, story, folder)
    between("tampered")
    prove(world, story, folder)
    return story


def champion(world: World, prepared: data.Prepared, story: Story) -> dict[str, Any]:
    """Two candidates from April; the XGBoost one goes to production after a refused self-approval."""
    dataset_id, april = data.training_set(world, prepared, data.APRIL)
    _, may = data.training_set(world, prepared, data.MAY)
    world.tell("Anna", f"training set April: {april.num_rows:,} rows, verified, personal columns masked")
    plain = modelling.train(world, "sklearn", dataset_id, april, may)
    best = modelling.train(world, "xgboost", dataset_id, april, may)
    modelling.register(world, plain, prepared)
    version = modelling.register(world, best, prepared)
    world.tell(
        "Anna", f"registers {version['version_id']}: Gini {best.gini:.3f} in May (scikit-learn {plain.gini:.3f})"
    )
    promote(world, version, best, april, refused=True)
    story.versions.append(version["version_id"])
    return version


def promote(world: World, version: dict[str, Any], candidate: Any, table: Any, *, refused: bool = False) -> None:
    """Evidence, request, and Boris's signature; first Anna's attempt at her own, where asked for."""
    governing.evidence(world, version, candidate, table)
    asked = governing.request(world, version["version_id"])
    if refused:
        problem = governing.self_approval(world, asked)
        rule = next(rule for rule in problem.rules if rule.startswith("four_eyes."))
        world.tell("Anna", f"approves her own model   REFUSED {rule}; ask Boris")
    governing.approve(world, asked, "boris")
    world.tell("Boris", f"signs sha256:{asked['version_digest'][:8]}...     {version['version_id']} in production")


def serve(world: World, prepared: data.Prepared, story: Story, version: dict[str, Any]) -> None:
    """Deployed and watched before the first score."""
    scoring.deploy(world, version["version_id"])
    watching.watch(world, version["version_id"])
    scoring.go_online(world, prepared, data.APRIL)


def score(world: World, story: Story, month: str) -> None:
    """A month from a file; then the outcomes of the month before, which are known by now."""
    job = scoring.score_month(world, month)
    assert job["scored"] == job["rows"] == world.accounts, job
    story.decisions += job["scored"]
    world.tell("bank", f"{month[:7]}: {job['scored']:,} decisions from a file of {job['rows']:,} rows")
    before = scoring.scored_before(month)
    if before is not None and before != data.APRIL:
        scoring.outcomes(world, before)


def september(world: World, prepared: data.Prepared, story: Story, version: dict[str, Any]) -> None:
    """September by file and by single requests; the recoding of status code 1 raises an alert."""
    score(world, story, data.SEPTEMBER)
    story.alert = watching.recoding(world, version["version_id"], data.SEPTEMBER)
    world.tell("ALERT", f"September: {story.alert['text']}, in the first bucket")
    watching.acknowledge(world, story.alert)
    scoring.go_online(world, prepared, data.SEPTEMBER)
    for account in range(1, SINGLE + 1):
        answer = scoring.score_one(world, account, explain=True)
        if answer["decision"] == "refuse" and not story.refused_decision:
            story.refused_decision = answer["decision_id"]
    story.decisions += SINGLE
    world.tell("bank", f"{SINGLE} single requests over HTTP, features looked up online")


def challenge(world: World, prepared: data.Prepared, story: Story) -> None:
    """A challenger from July by the same path; then Boris rolls back."""
    dataset_id, july = data.training_set(world, prepared, data.JULY)
    _, august = data.training_set(world, prepared, data.AUGUST)
    rival = modelling.train(world, "xgboost", dataset_id, july, august)
    version = modelling.register(world, rival, prepared)
    promote(world, version, rival, july)
    story.versions.append(version["version_id"])

    def followed() -> bool:
        served = world["olga"].get("inference", "/v1/deployments")
        return any(one["version_id"] == version["version_id"] for one in served)

    world.until("the challenger to answer", followed, 60)
    story.rollback_seconds = governing.roll_back(
        world, "September's recoding is not understood yet", story.versions[0], scoring.APPLICATION
    )
    world.tell("Anna", f"challenger promoted by the same path; Boris rolls back in {story.rollback_seconds:.1f} s")


def tamper(world: World, story: Story, folder: Path) -> None:
    """A checkpoint kept outside, a copy of the database, one score changed by the superuser."""
    story.checkpoint = proving.keep_checkpoint(world, "decisions", folder / "kept")
    against = ("--ledger", "decisions", "--checkpoint", str(story.checkpoint))
    with ThreadPoolExecutor(1) as beside:
        living = proving.superuser_url(world, "letopis_inference")
        checked = beside.submit(proving.letopis, world, "verify", "--database", living, *against)
        story.copy_url = proving.copy_database(world, "letopis_inference", "letopis_tampered")
    honest = checked.result()
    assert honest.good, honest.text
    story.tampered_position = story.decisions // 2
    before, after = proving.change_score(story.copy_url, story.tampered_position)
    named = proving.letopis(world, "verify", "--database", story.copy_url, *against)
    place = f"decisions/{story.tampered_position}"
    assert not named.good, named.text
    assert place in named.text, named.text
    world.tell("root", f"UPDATE of one score, {before} -> {after} (in a copy)  NAMED {place}")


def prove(world: World, story: Story, folder: Path) -> None:
    """The evidence pack, verified by the program inside it; one flipped byte fails."""
    story.pack = proving.pack(world, modelling.MODEL, story.refused_decision, folder)
    verdict = proving.alone(story.pack)
    assert verdict.good, verdict.text
    assert proving.letopis(world, "verify", str(story.pack)).good
    broken, place = proving.flipped(story.pack)
    found = proving.alone(broken)
    assert not found.good, found.text
    world.tell("pack", f"verified offline; byte {place:,} flipped  {found.text.strip().splitlines()[-1][:90]}")
