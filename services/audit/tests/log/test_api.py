"""The log over HTTP: what a stranger's transparency-log tool reads, and what needs a token."""

from letopis.audit.evidence.verifier.ledger import sealed
from letopis.audit.evidence.verifier.note import head_of, keys_of
from letopis.audit.log.merkle import leaf_hash
from letopis.audit.log.tile import new_tiles, unbundle
from letopis.common.leaf import leaf_bytes
from letopis.common.testing.routes import assert_guarded


class TestGuard:
    async def test_lets_strangers_read_heads_hashes_and_health_only(self, chronicle):
        await assert_guarded(
            chronicle.app,
            public={
                "GET /healthz",
                "GET /readyz",
                "GET /metrics",
                "GET /log/{ledger}/checkpoint",
                "GET /log/{ledger}/key",
                "GET /log/{ledger}/witnessed",
                "GET /log/{ledger}/succession",
                "GET /log/{ledger}/tile/{level}/{path:path}",
                "GET /v1/verify.html",
                "GET /heartbeat",
                "GET /heartbeat/key",
            },
        )


class TestLog:
    async def test_is_checked_by_a_stranger_from_its_tiles(self, chronicle, kit):
        """Row: any transparency-log tool checks our log without our code."""
        records = kit.decisions(300)
        await chronicle.seal("decisions", records)
        key = await chronicle.client.get("/log/decisions/key")
        note = await chronicle.client.get("/log/decisions/checkpoint")
        assert note.headers["content-type"] == "text/plain; charset=utf-8"
        head = head_of(note.content, keys_of(key.text))
        assert (head.origin, head.size) == ("letopis.test/log/decisions", 300)
        tiles = []
        for tile in new_tiles(0, 300):
            answer = await chronicle.client.get(f"/log/decisions/{tile.path()}")
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            tiles += [answer.content] if tile.level == 0 else []
        assert sealed(tiles, head) == [leaf_hash(leaf_bytes(one)) for one in records]

    async def test_gives_entries_to_auditors_only(self, chronicle, kit):
        records = kit.decisions(5)
        await chronicle.seal("decisions", records)
        path = "/log/decisions/tile/entries/000.p/5"
        answer = await chronicle.get(path, by="rita")
        assert unbundle(answer.content) == [leaf_bytes(one) for one in records]
        assert (await chronicle.get(path, by="anna")).status_code == 403
        assert (await chronicle.client.get(path)).status_code == 401

    async def test_knows_no_tile_beyond_the_signed_head(self, chronicle, kit):
        await chronicle.seal("decisions", kit.decisions(5))
        for path in ("0/000.p/6", "0/001", "0/000", "1/000.p/1", "0/000.p/0", "00/000.p/5", "64/000", "0/..%2f..%2fx"):
            answer = await chronicle.client.get(f"/log/decisions/tile/{path}")
            assert (path, answer.status_code) == (path, 404)
        assert (await chronicle.client.get("/log/decisions/tile/0/000.p/3")).status_code == 200

    async def test_of_an_unknown_ledger_is_not_found(self, chronicle):
        for path in ("/log/nothing/checkpoint", "/log/nothing/key", "/log/..%2f..%2fx/checkpoint"):
            assert (await chronicle.client.get(path)).status_code == 404

    async def test_has_no_checkpoint_before_it_was_sealed(self, chronicle):
        assert (await chronicle.client.get("/log/decisions/checkpoint")).status_code == 404

    async def test_lists_how_far_each_ledger_is(self, chronicle, kit):
        await chronicle.seal("decisions", kit.decisions(5))
        told = {one["ledger"]: one for one in (await chronicle.get("/v1/logs", by="olga")).json()}
        assert (told["decisions"]["copied"], told["decisions"]["sealed"]) == (5, 5)
        assert (told["registry"]["copied"], told["registry"]["sealed"]) == (0, 0)
        assert set(told) >= {"registry", "features", "access", "inference", "decisions", "monitoring", "audit"}
