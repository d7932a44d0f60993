"""Evidence shown and packs handed out leave facts; a pack is made once."""

from dataclasses import asdict

import pytest

from letopis.audit.evidence.decider import (
    EVIDENCE,
    PACK,
    MakePack,
    PackExists,
    PackUnknown,
    ReadEvidence,
    ReadPack,
)
from letopis.audit.evidence.events import EvidenceRead, PackMade, PackRead
from letopis.common.testing.decider import given

MAKE = MakePack(
    pack_id="p", scope={"model_id": "credit"}, positions={"registry": 9}, excerpts={"decisions": [3]},
    report_sha256="a", sha256="b", bytes=10, by="irina",
)  # fmt: skip
MADE = PackMade(**asdict(MAKE))


class TestEvidence:
    def test_shown_is_recorded_every_time(self):
        about = {"event_id": "e", "ledger": "decisions", "position": 7, "by": "irina"}
        given(EVIDENCE).when(ReadEvidence(**about)).then(EvidenceRead(**about))
        given(EVIDENCE, EvidenceRead(**about)).when(ReadEvidence(**about)).then(EvidenceRead(**about))


class TestPack:
    def test_made_is_recorded(self):
        given(PACK).when(MAKE).then(MADE)

    def test_is_made_once(self):
        given(PACK, MADE).when(MAKE).refused(PackExists)

    def test_handed_out_is_recorded_with_its_digest(self):
        read = ReadPack(pack_id="p", by="rita")
        given(PACK, MADE).when(read).then(PackRead(pack_id="p", sha256="b", by="rita"))

    def test_never_made_is_not_found(self):
        with pytest.raises(PackUnknown):
            given(PACK).when(ReadPack(pack_id="p", by="rita"))
