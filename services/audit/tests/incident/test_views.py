"""The chronicle's read models: what people see, and the same again when built anew."""

import pytest
from sqlalchemy import select

from letopis.audit.incident.decider import INCIDENT, CloseIncident, OpenIncident
from letopis.audit.incident.views import IncidentSummary
from letopis.audit.report.views import IssuedReport
from letopis.common.database import open_engine
from letopis.common.envelope import Actor, Meta
from letopis.common.following import News, OwnLedger
from letopis.common.projecting import Projector
from letopis.common.projecting.rebuild import rebuild


@pytest.fixture
async def projected(chronicle, settings):
    """Brings a view to the ledger's end; `again` builds it anew."""
    engine = open_engine(settings.projector_url)
    sources = {"audit": OwnLedger(chronicle.resources.store, "audit", News(), busy=0, quiet=0)}

    async def project(view, *, again=False):
        if again:
            await rebuild(view, sources, engine)
            return
        projector = Projector(view, sources, engine)
        while not projector.live or await projector.step():
            await projector.step()

    yield project
    await engine.dispose()


def about(ledger, at, **more):
    return {"ledger": ledger, "at": at} | more


class TestIncidents:
    async def test_tell_the_last_of_each_ledger(self, chronicle, projected):
        desk, now = chronicle.resources.desk, chronicle.resources.clock.now()
        meta = Meta(actor=Actor(service="audit"))
        hole = {"kind": "hole", "position": 7, "detail": "decisions/7 is missing"}
        for ledger in ("decisions", "access"):
            await desk.handle(INCIDENT, ledger, OpenIncident(**about(ledger, now, **hole)), meta)
        closing = CloseIncident(ledger="access", person="pavel", comment="restored", at=now)
        await desk.handle(INCIDENT, "access", closing, meta)
        await projected(IncidentSummary)
        told = (await chronicle.get("/v1/incidents", by="olga")).json()
        assert [(one["ledger"], one["state"], one["position"], one["closed_by"]) for one in told] == [
            ("access", "closed", 7, "pavel"),
            ("decisions", "open", 7, None),
        ]


class TestRebuild:
    @pytest.mark.parametrize("view", [IncidentSummary, IssuedReport])
    async def test_gives_the_same_rows(self, chronicle, projected, kit, view):
        """Row: every read model can be dropped and built again to the same content."""
        await chronicle.seal("registry", kit.registry())
        await chronicle.seal("inference")
        for _ in range(2):
            issued = await chronicle.post("/v1/reports", {})
            await chronicle.get(f"/v1/reports/{issued.json()['id']}")
        desk, now = chronicle.resources.desk, chronicle.resources.clock.now()
        hole = OpenIncident(**about("decisions", now, kind="hole", position=7, detail="is missing"))
        await desk.handle(INCIDENT, "decisions", hole, Meta(actor=Actor(service="audit")))
        await projected(view)
        before = await chronicle.resources.views.rows(view, select(view.table))
        assert len(before) == 1
        await projected(view, again=True)
        assert await chronicle.resources.views.rows(view, select(view.table)) == before
