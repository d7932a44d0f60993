"""Time passes: what is due is issued, delivered and recorded; a crash in between does it again, to the same end."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid5

from letopis.audit.report.decider import REPORT
from letopis.audit.report.handing import issued_report, kept
from letopis.audit.report.issuing import Issuing, Report
from letopis.audit.schedule import views
from letopis.audit.schedule.calendar import Period, due
from letopis.audit.schedule.decider import SCHEDULE, FulfilSchedule, Running
from letopis.common.envelope import Actor, Meta, Record, decode_meta
from letopis.common.errors import LetopisError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """Looks now and then which schedules are due. `resources` are the chronicle's."""

    resources: Any
    issuing: Issuing
    folder: Path
    every: float = 30.0

    async def run(self) -> None:
        """For ever; a schedule that cannot be fulfilled now is tried again, and does not hold up the others."""
        while True:
            for one in await views.everything(self.resources.views):
                if one["state"] == "running":
                    try:
                        while await self.fulfilled(one["schedule_id"]):
                            pass
                    except LetopisError as error:
                        _log.warning("schedule %s waits: %s", one["schedule_id"], error)
            await asyncio.sleep(self.every)

    async def fulfilled(self, schedule_id: str) -> bool:
        """Whether a period was due, whose report is delivered now."""
        state = (await self.resources.desk.load(SCHEDULE, schedule_id)).state
        if not isinstance(state, Running):
            return False
        period = due(state.every, state.since, self.resources.clock.now())
        if period is None:
            return False
        records = await self.resources.store.load("audit", SCHEDULE.stream(schedule_id))
        setting = next(one for one in reversed(records) if one.type == "audit.schedule.set")
        report = await self._issued(setting, state.type, period)
        place, files = await self._delivered(schedule_id, report, period)
        command = FulfilSchedule(
            schedule_id=schedule_id,
            first_day=period[0],
            last_day=period[1],
            report_id=report.report_id,
            place=place,
            files=files,
        )
        await self.resources.desk.handle(SCHEDULE, schedule_id, command, _meta(setting))
        return True

    async def _issued(self, setting: Record, type: str, period: Period) -> Report:
        """The report about the period, issued on the authority of who set the schedule."""
        resources = self.resources
        asked = {"first_day": period[0].isoformat(), "last_day": period[1].isoformat()}
        report = await self.issuing.make(resources.shelf.definition(type), asked)
        report = await kept(resources.objects, report)
        command_id = uuid5(setting.event_id, report.report_id)
        issue = report.issued("service:audit")
        await resources.desk.handle(REPORT, report.report_id, issue, _meta(setting), command_id)
        return report

    async def _delivered(self, schedule_id: str, report: Report, period: Period) -> tuple[str, Mapping[str, str]]:
        """The report's files in a folder of their own, written once; the name below the folder of deliveries."""
        _, envelope = await issued_report(self.resources, report.report_id)
        files = {"report.json": report.document, "report.csv": report.table, "envelope.json": envelope}
        files |= {f"report.{language}.pdf": one for language, one in report.pdfs.items()}
        name = f"{schedule_id}/{_name(period)}"
        await asyncio.to_thread(_written, self.folder / name, files)
        return name, {one: sha256(data).hexdigest() for one, data in sorted(files.items())}


def _name(period: Period) -> str:
    first, last = period
    return f"{first}" if first == last else f"{first}_{last}"


def _written(folder: Path, files: Mapping[str, bytes]) -> None:
    """Whole or not at all, each file durable and not to be written again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        aside = folder / f".{name}.{os.getpid()}"
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o444)
        aside.replace(folder / name)


def _meta(setting: Record) -> Meta:
    """By the service, for the purpose and on the authority of the fact that set the schedule."""
    told = decode_meta(setting.meta)
    return Meta(
        actor=Actor(service="audit"),
        purpose=told.purpose,
        correlation_id=told.correlation_id,
        causation_id=str(setting.event_id),
        authorization=told.authorization,
    )
