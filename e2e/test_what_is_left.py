"""What is left of a person after an erasure: marks planted in every input are readable nowhere, and every proof stands.

Two things are left out on purpose and asserted as such (docs/adr/0011): the source's own extract under `sources/`, the
bank's file that its own rule deletes; and identifiers, which are pseudonyms and so bear no mark.

It comes last among those that share the stack: profiles built again after an erasure leave erased inputs out, so
comparisons of rebuilt read models must not come after it.
"""

import io
import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from e2e.journey.data import FEATURES, PURPOSE
from e2e.journey.modelling import MODEL
from e2e.journey.people import CONSUMER
from e2e.journey.proving import alone, keep_checkpoint, letopis, pack, superuser_url
from e2e.journey.world import Problem
from e2e.residue import Marks, in_files, in_tables, layers

NAME = "Мстислава Заозёрная-Примета"
LATIN = "Zaozyornaya Primeta"
PHONE = "79167654321"
CARD = "4000009876543219"
EMAIL = "primeta.zaozyornaya@mail.example"
MARKS = Marks(NAME, LATIN, PHONE, CARD, EMAIL)
ACCOUNT = "900001"
SUBJECT = f"account_id:{ACCOUNT}"
PERSON = "person:primeta"
# The bank's own file, brought by the bank.
SOURCE = "sources/clients.parquet"


def plant_people(world):
    """A principal with a name; columns of a source, read masked, asked for in clear, and named in SQL."""
    body = {"login": "primeta", "person": "primeta", "name": NAME, "roles": ["data_engineer"], "organisation": "bank"}
    world["olga"].post("registry", "/v1/principals", body)
    rows = {"account_id": [900001, 900002], "full_name": [NAME, "Other Name"], "email": [EMAIL, "o@mail.example"]}
    rows |= {"phone": [f"+{PHONE}", "+79160000000"], "card": [CARD, "4000000000000002"]}
    pq.write_table(pa.table(rows), world.data_dir / SOURCE)
    oleg, pavel, anna = world["oleg"], world["pavel"], world["anna"]
    oleg.post(
        "features", "/v1/sources", {"source_id": "clients", "name": "Clients", "zone": "etl_copy", "description": "x"}
    )
    extract = {"files": ["clients.parquet"], "job": "etl.clients", "reason": "monthly copy"}
    oleg.post("features", "/v1/sources/clients/extracts", extract)
    kinds = {"full_name": "full_name", "email": "email", "phone": "phone", "card": "card"}
    classes = {name: {"cls": "personal", "kind": kind} for name, kind in kinds.items()}
    classes["account_id"] = {"cls": "internal", "kind": "identifier"}
    said = {"classes": classes, "reason": "read column by column"}
    pavel.post("features", "/v1/sources/clients/classification", said)
    grant = {
        "grantee": "anna",
        "purpose": PURPOSE,
        "project": "cards",
        "columns": {"clients": sorted(rows)},
        "unmask": False,
        "not_after": (datetime.now(UTC) + timedelta(days=9)).isoformat(),
        "reason": "scoring of card accounts",
    }
    pavel.post("features", "/v1/grants", grant)
    shown = anna.post(
        "features", "/v1/queries", {"sql": "SELECT full_name, email, phone, card FROM clients"}, purpose=PURPOSE
    )
    assert len(shown["rows"]) == 2
    assert not MARKS.found(json.dumps(shown, ensure_ascii=False).encode())
    for sql in (
        f"SELECT account_id FROM clients WHERE full_name = '{NAME}'",
        f"DELETE FROM clients WHERE card = '{CARD}'",
    ):
        with pytest.raises(Problem):
            anna.post("features", "/v1/queries", {"sql": sql, "unmask": ["clients.full_name"]}, purpose=PURPOSE)


def plant_scores(world):
    """Inputs of a single request and of a file; the id of the single decision."""
    bank = world[CONSUMER]
    row = dict.fromkeys(FEATURES, 1) | {"bill": int(PHONE), "limit_amount": int(CARD), "status": int(PHONE)}
    single = bank.post("inference", "/v1/score/cards/v1", {"account_id": ACCOUNT, **row}, purpose=PURPOSE)
    table = {name: [float(value)] * 2 for name, value in row.items()} | {"account_id": [ACCOUNT, CARD]}
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink)
    kind = {"content-type": "application/vnd.apache.parquet"}
    sha = bank.send("POST", "inference", "/v1/files", content=sink.getvalue(), headers=kind).json()["sha256"]
    body = {"application": "cards", "api_version": "v1", "source_sha256": sha, "as_of": "2005-09-01T00:00:00Z"}
    job = bank.post("inference", "/v1/jobs", body, purpose=PURPOSE)["id"]
    ended = world.until("the job", lambda: _ended(bank, job))
    assert (ended["state"], ended["scored"], ended["refused"]) == ("completed", 1, 1)
    return single["decision_id"]


def _ended(bank, job):
    told = bank.get("inference", f"/v1/jobs/{job}")
    return told if told["state"] in {"completed", "failed"} else None


def plant_mistakes(world):
    """Requests that are refused: marks as names of clients, fields, values, paths, bodies and labels."""
    bank, olga = world[CONSUMER], world["olga"]
    row = dict.fromkeys(FEATURES, 1)
    for bad in (
        {**row, "account_id": CARD},
        {**row, "account_id": NAME},
        {**row, "account_id": f"+{PHONE}"},
        {**row, "account_id": EMAIL},
        {**row, "account_id": ACCOUNT, NAME: 1},
        {**row, "account_id": ACCOUNT, "bill": LATIN},
        [{**row, "account_id": ACCOUNT, LATIN: CARD}],
    ):
        assert bank.refused("POST", "inference", "/v1/score/cards/v1", json=bad, purpose=PURPOSE).status == 422
    broken = f'{{"account_id": "{CARD}", "bill": '.encode()
    kind = {"content-type": "application/json"}
    refused = bank.refused("POST", "inference", "/v1/score/cards/v1", content=broken, headers=kind, purpose=PURPOSE)
    assert refused.status in {400, 422}
    label = {"as_of": "2005-09-01T00:00:00Z", "label": 1, "known_at": "2005-10-28T00:00:00Z"}
    for name in (CARD, NAME, f"+{PHONE}", EMAIL):
        body = {"entity": "account_id", "rows": [{"entity_id": name, **label}]}
        assert bank.refused("POST", "monitoring", "/v1/outcomes", json=body).status == 422
    bank.post("monitoring", "/v1/outcomes", {"entity": "account_id", "rows": [{"entity_id": ACCOUNT, **label}]})
    body = {"login": EMAIL, "person": PHONE, "name": NAME, "card": CARD}
    assert olga.refused("POST", "registry", "/v1/principals", json=body).status == 422
    for service, path in (
        ("registry", f"/v1/versions/{LATIN}"),
        ("inference", f"/v1/jobs/{CARD}"),
        ("features", f"/v1/{LATIN}"),
    ):
        assert olga.refused("GET", service, path, purpose=PURPOSE).status in {403, 404, 422}
    olga.get("inference", f"/v1/decisions?entity_id={PHONE}&application={CARD}", purpose=PURPOSE)


def erase(world, subject):
    """Pavel asks, Vera agrees; the certificate once the keys are gone."""
    asked = world["pavel"].post("audit", f"/v1/subjects/{subject}/erasures", {"reason": "asked by letter"})
    number = asked["facts"][0]["data"]["erasure_id"]
    world["vera"].post("audit", f"/v1/subjects/{subject}/erasures/{number}/approvals")

    def done():
        told = world["irina"].get("audit", f"/v1/subjects/{subject}", purpose=PURPOSE)
        return number in told["erasures"]

    world.until(f"the erasure of {subject}", done)
    return world["irina"].get("audit", f"/v1/subjects/{subject}/erasures/{number}/certificate", purpose=PURPOSE)


@pytest.fixture(scope="module")
def erased(whole, world, tmp_path_factory):
    """The stack after planting and erasing: what was seen before and after."""
    folder = tmp_path_factory.mktemp("erasure")
    plant_people(world)
    single = plant_scores(world)
    plant_mistakes(world)
    irina = world["irina"]

    def listed():
        path = f"/v1/decisions?application=cards&entity_id={ACCOUNT}"
        found = irina.get("inference", path, purpose=PURPOSE)
        return [one["decision_id"] for one in found] if len(found) == 2 else None

    ids = world.until("both decisions in the ledger", listed)
    assert single in ids

    def indexed():
        told = irina.get("audit", f"/v1/subjects/{SUBJECT}", purpose=PURPOSE)
        return told if sum(one["facts"] for one in told["facts"]) == 2 else None

    found = world.until("audit to know whose keys they are", indexed)
    before = {id: irina.post("inference", f"/v1/decisions/{id}/reveals", purpose=PURPOSE) for id in ids}
    kept = keep_checkpoint(world, "decisions", folder / "kept")
    certificates = [erase(world, SUBJECT), erase(world, PERSON)]

    def gone():
        after = {id: irina.post("inference", f"/v1/decisions/{id}/reveals", purpose=PURPOSE) for id in ids}
        return after if all(one["erased"] for one in after.values()) else None

    after = world.until("inference to have dropped the key", gone)
    return {
        "ids": ids,
        "found": found,
        "before": before,
        "after": after,
        "kept": kept,
        "certificates": certificates,
        "folder": folder,
        # Before a test plants its control in a table, whose file would show it.
        "files": in_files(whole.data, MARKS),
    }


class TestErasure:
    def test_what_was_readable_before_is_readable_to_nobody_after(self, erased):
        """The marks were really there, for whoever had the right; now their own owner cannot open them."""
        for told in erased["before"].values():
            assert f"{told['inputs']['bill']:.0f}" == PHONE
            assert f"{told['inputs']['limit_amount']:.0f}" == CARD
        assert all(told["inputs"] is None for told in erased["after"].values())

    def test_the_marks_are_in_no_table(self, erased, whole):
        with whole.connect("console") as connection:
            connection.execute("CREATE TABLE public.planted (a text, b bytea)")
            connection.execute("INSERT INTO public.planted VALUES (%s, %s)", (NAME, CARD.encode()))
            assert in_tables(whole, MARKS) == {"letopis_console.public.planted": {NAME, CARD}}
            connection.execute("DROP TABLE public.planted")
        assert in_tables(whole, MARKS) == {}

    def test_the_marks_are_in_no_file_but_the_banks_own(self, erased):
        """PostgreSQL's own files, streams, journals, tiles, objects, Valkey, logs: all below the data directory."""
        assert erased["files"] == {SOURCE: {NAME, PHONE, CARD, EMAIL}}

    def test_the_search_sees_through_every_wrapping(self, erased):
        wrapped = b"head" + zstandard.compress(NAME.encode() * 3) + b"tail"
        assert any(MARKS.found(layer) for layer in layers(wrapped))
        sink = io.BytesIO()
        pq.write_table(pa.table({"a": [float(CARD)]}), sink)
        assert any(MARKS.found(layer) for layer in layers(sink.getvalue()))

    def test_every_proof_still_stands(self, erased, world, story):
        """The ledger continues the checkpoint kept before; a pack with an erased decision verifies alone."""
        url, kept = superuser_url(world, "letopis_inference"), str(erased["kept"])
        verdict = letopis(world, "verify", "--database", url, "--ledger", "decisions", "--checkpoint", kept)
        assert verdict.good, verdict.text
        made = pack(world, MODEL, erased["ids"][0], erased["folder"])
        assert alone(made).good
        assert not any(MARKS.found(layer) for layer in layers(made.read_bytes()))

    def test_the_certificate_names_keys_and_steps(self, erased):
        account, person = erased["certificates"]
        assert account["keys_destroyed"] == sorted({one["key_id"] for one in erased["found"]["facts"]})
        assert [one["type"].rpartition(".")[2] for one in account["steps"]][:3] == [
            "erasure_requested",
            "erasure_approved",
            "key_destroyed",
        ]
        assert person["unreadable"][0]["type"] == "registry.principal.registered"
