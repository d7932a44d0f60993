"""Reports, lineage and the SIEM's events, of the journey's own facts: issued, checked and verified from outside."""

import asyncio
import csv
import io
import json
import subprocess
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from ipaddress import ip_address
from uuid import uuid4

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from e2e.journey import people
from e2e.journey.data import PURPOSE
from e2e.journey.modelling import MODEL
from e2e.stacks import LETOPIS, until

from letopis.audit.log.copy import CopyStore
from letopis.audit.siem.sending import Kept, Receiver, Sending
from letopis.common.clock import SystemClock
from letopis.common.database import open_engine
from letopis.common.ledgers import LEDGERS
from letopis.common.observability import Metrics
from letopis.common.running import end


@pytest.fixture(scope="module")
def played(world, story):
    return world


def issued(world, type, **scope):
    """A report of everything that is recorded by now, and its place."""
    made = until(f"report {type}", lambda: _made(world, type, scope))
    return made, world["rita"].get("audit", f"/v1/reports/{made['id']}", purpose=PURPOSE)


def _made(world, type, scope):
    return world["rita"].post("audit", "/v1/reports", {"type": type, "scope": scope}, purpose=PURPOSE)


def rows(report, section):
    [found] = [one for one in report["sections"] if one["id"] == section]
    return [dict(zip([column["id"] for column in found["columns"]], row, strict=True)) for row in found["rows"]]


def numbers(report):
    return {one["id"]: one["value"] for one in report["summary"]["numbers"]}


def incidents(world):
    """Critical alerts of the model that nobody found false, counted at the owner's door."""
    text = world["irina"].send("GET", "monitoring", "/v1/ledgers/monitoring/facts?after=0&limit=10000").text
    told = [json.loads(line) for line in text.splitlines()]
    facts = [(one["type"].removeprefix("monitoring.alert."), json.loads(one["data"])) for one in told]
    false = {(one["alert_id"], one["episode"]) for kind, one in facts if one.get("verdict") == "false_alarm"}
    opened = [one for kind, one in facts if kind == "opened" and one["model_id"] == MODEL]
    return sum(one["severity"] == "critical" and (one["alert_id"], one["episode"]) not in false for one in opened)


class TestReports:
    def test_lead_time_failures_and_incidents_come_from_events_only(self, played, tmp_path):
        """B02, C01: by model, and the slowest gate is named; the pack's verifier makes it again from the facts."""
        made, report = issued(played, "change_log")
        [model] = [one for one in rows(report, "models") if one["model_id"] == MODEL]
        assert model["releases"] >= 1
        assert model["lead_days"] is not None
        assert model["failure_rate"] is not None
        assert model["incidents"] == incidents(played)
        assert numbers(report)["slowest_gate"] in {"checking", "waiting", "voting"}
        pack = played["rita"].post("audit", "/v1/packs", {"report_id": made["id"]}, purpose=PURPOSE)
        data = played["rita"].send("GET", "audit", f"/v1/packs/{pack['id']}", purpose=PURPOSE).content
        place = tmp_path / "report-pack.zip"
        place.write_bytes(data)
        told = subprocess.run([LETOPIS, "verify", str(place)], capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout
        assert "report change_log: made again from the facts" in told.stdout
        assert "envelope: asked for by rita" in told.stdout

    def test_quarters_stand_beside_the_baseline_of_the_first(self, played):
        """B10, B18: lead times by quarter with median and ninth decile, the first quarter on record as baseline, and
        each promotion against five working days.
        """
        _, report = issued(played, "change_log")
        quarters = rows(report, "quarters")
        assert numbers(report)["baseline"] == quarters[0]["lead_hours"] > 0
        assert all(one["lead_days_p90"] >= one["lead_days"] for one in quarters)
        [check] = [one for one in report["checks"] if one["id"] == "within_target"]
        assert check["of"] == sum(one["completed"] for one in quarters)
        assert check["state"] == "pass"

    def test_same_positions_give_the_same_bytes_in_every_form(self, played):
        made, report = issued(played, "model_inventory")
        positions = {ledger: head["position"] for ledger, head in report["as_of"].items()}
        again = played["irina"].post(
            "audit", "/v1/reports", {"type": "model_inventory", "positions": positions}, purpose=PURPOSE
        )
        assert again["id"] == made["id"]
        first, second = (
            {name: one["facts"][0]["data"][name] for name in ("sha256", "csv_sha256", "pdf_sha256")}
            for one in (made, again)
        )
        assert first == second
        path = f"/v1/reports/{made['id']}"
        told = played["rita"].send("GET", "audit", f"{path}?format=csv", purpose=PURPOSE).text
        assert MODEL in {row[0] for row in csv.reader(io.StringIO(told))}
        assert (
            played["rita"].send("GET", "audit", f"{path}?format=pdf&lang=ru", purpose=PURPOSE).content[:5] == b"%PDF-"
        )

    def test_all_six_keep_to_their_schemas(self, played, story):
        for one in played["rita"].get("audit", "/v1/report-types"):
            scope = {"decision_id": story.refused_decision} if one["scope"] else {}
            _, report = issued(played, one["type"], **scope)
            jsonschema.validate(report, played["rita"].get("audit", f"/v1/report-types/{one['type']}/schema"))

    def test_a_leaver_leaves_a_list_of_what_he_owns(self, played):
        """C13: who owns it and who supports it is recorded; the end of a login lists the person's assets."""
        login = f"leaver-{uuid4().hex[:8]}"
        people.register(played, login, "A leaver", "human", ["data_scientist"])
        name = f"one-man-{uuid4().hex[:8]}"
        case = {"use_case_id": name, "name": name, "goal": "x", "owner": login, "decision_domain": "other"}
        case |= {"customer_reach": "internal", "materiality": "low"}
        played["anna"].post("registry", "/v1/use-cases", case)
        played["olga"].post("registry", f"/v1/principals/{login}/end", {})
        until("the leaver's assets", lambda: _orphan(played, name, login))


def _orphan(world, name, login):
    _, report = issued(world, "access_register")
    return {"what": f"use case {name}", "owner": login} in [
        {key: one[key] for key in ("what", "owner")} for one in rows(report, "orphans")
    ]


class TestLineage:
    def test_what_built_this_is_answered_in_one_call(self, played, story):
        """C14: back from the version to the data set, the views, the extracts and their jobs; and what nobody uses."""
        told = played["anna"].get("audit", f"/v1/lineage/things/version/{story.versions[0]}")
        jobs = [one["job"].partition("/")[0] for one in told["behind"]]
        assert jobs[0] == "train"
        assert {"dataset", "view", "extract"} <= set(jobs)
        assert all(one["place"] for one in told["behind"])
        assert isinstance(played["irina"].get("audit", "/v1/lineage/unused"), list)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "siem")])
    now, folder = datetime.now(UTC), tmp_path_factory.mktemp("siem")
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "siem.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "siem.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


class TestSiem:
    def test_security_events_arrive_and_are_valid(self, played, whole, certificate):
        """E09: over syslog and TLS at a receiver of its own, each valid against the schema, and all of them."""
        out = certificate / "received"
        command = [LETOPIS, "siem", "receive", "--certificate", str(certificate / "siem.pem"), "--port", "0"]
        command += ["--key", str(certificate / "siem.key"), "--out", str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
            try:
                url = receiver.stdout.readline().split()[-1]
                asyncio.run(_export(whole, url, certificate))
                until("all events at the receiver", lambda: _complete(out))
            finally:
                receiver.terminate()
        rules = json.loads(files("letopis.audit.siem").joinpath("ecs.schema.json").read_bytes())
        lines = [one for one in out.read_bytes().splitlines() if b" mark " not in one[:120]]
        found = [json.loads(one[one.index(b"\xef\xbb\xbf") + 3 :]) for one in lines]
        checking = jsonschema.Draft202012Validator(rules)
        assert [error.message for one in found for error in checking.iter_errors(one)] == []
        denied = [one for one in found if one["event"]["outcome"] == "failure"]
        assert any("four_eyes.self_approval" in one["rule"]["name"] for one in denied if "rule" in one)
        cut = certificate / "cut"
        cut.write_bytes(b"".join(one + b"\n" for one in out.read_bytes().splitlines() if one != lines[3]))
        assert not _complete(cut)


def _complete(path):
    done = subprocess.run([LETOPIS, "siem", "check", str(path)], capture_output=True, text=True, check=False)
    return done.returncode == 0


async def _export(whole, url, certificate):
    """The exporter of the worker, over the stack's own copies, until it has told all that is there and a mark."""
    engine = open_engine(whole.environment("audit")["LETOPIS_AUDIT_DATABASE_URL"], autocommit=True)
    kept = Kept(certificate / "siem.json")
    sending = Sending(
        receiver=Receiver(url=url, ca_file=certificate / "siem.pem"), copies=CopyStore(engine), ledgers=LEDGERS,
        kept=kept, clock=SystemClock(), metrics=Metrics("audit"), every=0.1, marked_every=1.0,
    )  # fmt: skip
    running = asyncio.create_task(sending.run())
    try:
        async with asyncio.timeout(120):
            while not kept.reached:  # noqa: ASYNC110 the exporter tells nobody, it saves
                await asyncio.sleep(0.1)
    finally:
        await end(running)
        await engine.dispose()
