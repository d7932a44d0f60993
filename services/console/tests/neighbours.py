"""The other services as far as the console asks them: audit's log by audit's own code, the rest by recorded answers."""

import json
from datetime import UTC, datetime, timedelta

import httpx
from console_history import KEYS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from letopis.audit.log.merkle import inclusion_proof, root_of
from letopis.audit.log.note import Checkpoint, Signer, sign_note
from letopis.common.envelope import record_to_json, time_text
from letopis.common.identity.caller import Principal
from letopis.common.identity.claims import Claims, TokenRefused
from letopis.common.leaf import leaf_hash
from letopis.common.testing.sealing import opened
from letopis.inference.contract import DECISIONS

ROLES = {
    "anna": "data_scientist",
    "boris": "model_owner",
    "irina": "auditor",
    "oleg": "data_engineer",
    "nobody": "",
}


class Verifier:
    """Knows tokens by name: `irina` is Irina."""

    async def verify(self, token):
        if token not in ROLES:
            raise TokenRefused
        now = datetime.now(UTC)
        return Claims(
            login=token, person=token, issuer="http://issuer.test", issued_at=now, expires_at=now + timedelta(hours=1)
        )


class Directory:
    async def find(self, login):
        roles = frozenset({ROLES[login]} - {""})
        return Principal(login=login, person=login, name=login, kind="human", roles=roles, keys={"00aa": "AA=="})

    async def reach(self, positions, timeout):  # noqa: ASYNC109 as the real one
        pass


class Neighbours:
    """Answers by host; `requests` keeps what was asked, `away` names hosts that do not answer."""

    def __init__(self, store):
        self.store = store
        self.key = Ed25519PrivateKey.generate()
        self.requests = []
        self.away = set()
        self.answers = {}
        self.sealed = {}

    def transport(self):
        return httpx.MockTransport(self.answer)

    async def answer(self, request):
        self.requests.append(request)
        service = request.url.host.removesuffix(".test")
        if service in self.away:
            raise httpx.ConnectError("refused")
        if found := self.answers.get((request.method, service, request.url.path)):
            status, body, headers = found
            return httpx.Response(status, json=body, headers=headers)
        if service == "audit":
            return await self._audit(request)
        if service == "inference":
            return await self._inference(request)
        return httpx.Response(404, json={"code": "not_found", "title": "Not found", "detail": request.url.path})

    def signer(self, ledger):
        return Signer(f"test/log/{ledger}", self.key)

    async def hashes(self, ledger):
        records = await self.store.read(ledger, 0, 1000)
        return [leaf_hash(record) for record in records][: self.sealed.get(ledger, len(records))]

    async def _audit(self, request):
        parts = request.url.path.split("/")
        if parts[1] == "log":
            ledger, what = parts[2:4]
            hashes = await self.hashes(ledger)
            if not hashes:
                return httpx.Response(404, json={"code": "not_found"})
            signer = self.signer(ledger)
            if what == "key":
                return httpx.Response(200, text=f"{signer.verifier().text()}\n")
            head = Checkpoint(signer.name, len(hashes), root_of(hashes))
            return httpx.Response(200, text=sign_note(head.text(), signer))
        if request.url.path == "/v1/proofs/inclusion":
            asked = request.url.params
            hashes = await self.hashes(asked["ledger"])
            proof = prove(hashes, int(asked["position"]) - 1, int(asked["size"]))
            return httpx.Response(200, json={"hashes": [one.hex() for one in proof]})
        for ledger in ("registry", "monitoring"):
            for record in await self.store.read(ledger, 0, 1000):
                if request.url.path == f"/v1/evidence/{record.event_id}":
                    return httpx.Response(200, json={"record": record_to_json(record)})
        return httpx.Response(404, json={"code": "evidence.fact_unknown", "title": "No such fact", "detail": "no"})

    async def _inference(self, request):
        records = await self.store.read("decisions", 0, 10)
        if request.url.path == "/v1/decisions":
            wanted = request.url.params["decision"]
            lines = [line(record) for record in records]
            return httpx.Response(200, json=[one for one in lines if wanted in {"", one["decision"]}])
        for record in records:
            if request.url.path == f"/v1/decisions/{record.event_id}":
                return httpx.Response(200, json=whole(record))
            if request.url.path == f"/v1/decisions/{record.event_id}/reveals":
                (shown,) = opened([record], DECISIONS, KEYS)
                inputs = json.loads(shown.data)["inputs"]
                told = {"decision_id": str(record.event_id), "subject": "", "erased": False, "inputs": inputs}
                return httpx.Response(201, json=told)
        return httpx.Response(404, json={"code": "not_found", "title": "There is no such thing", "detail": "unknown"})


def prove(hashes, index, size):
    """By audit's own code, over all leaves at once."""

    def nodes(level, at):
        width = 1 << level
        return root_of(hashes[at * width : (at + 1) * width])

    return inclusion_proof(index, size, nodes)


def line(record):
    data = json.loads(record.data)
    kept = (
        "application",
        "api_version",
        "version_id",
        "entity_id",
        "score",
        "decision",
        "decided_at",
        "as_of",
        "job_id",
    )
    return {"decision_id": str(record.event_id), "position": record.position} | {name: data[name] for name in kept}


def whole(record):
    return {
        "decision_id": str(record.event_id),
        "ledger": record.ledger,
        "position": record.position,
        "stream": record.stream,
        "recorded_at": time_text(record.recorded_at),
        "actor": {"login": "bank-app"},
        "purpose": "lending",
        "lease": "",
        "data": json.loads(record.data),
        "record": record_to_json(record),
    }
