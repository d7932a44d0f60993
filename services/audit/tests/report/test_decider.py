"""Reports: the same positions and code, the same bytes."""

from dataclasses import asdict, replace

import pytest

from letopis.audit.report.decider import (
    REPORT,
    FormatUnknown,
    IssueReport,
    ReadReport,
    ReportDiffers,
    ReportUnknown,
    report_id,
)
from letopis.audit.report.events import ReportIssued, ReportRead
from letopis.common.serialization import canonical
from letopis.common.testing.decider import given

ISSUE = IssueReport(
    report_id="r", type="model_inventory", schema_version=1, positions={"registry": 9}, roots={"registry": "ab"},
    scope={}, definition_sha256="f", generator_sha256="c", sha256="d", csv_sha256="e", pdf_sha256={"ru": "g"}, bytes=10,
    rows=1, checks={"pass": 1}, by="irina",
)  # fmt: skip
ISSUED = ReportIssued(**asdict(ISSUE))


class TestIssue:
    def test_is_recorded_with_what_it_is_a_function_of(self):
        given(REPORT).when(ISSUE).then(ISSUED)

    def test_again_with_the_same_bytes_is_recorded_again(self):
        given(REPORT, ISSUED).when(replace(ISSUE, by="rita")).then(replace(ISSUED, by="rita"))

    @pytest.mark.parametrize("name", ["sha256", "csv_sha256"])
    def test_again_with_other_bytes_is_refused(self, name):
        given(REPORT, ISSUED).when(replace(ISSUE, **{name: "x"})).refused(ReportDiffers)

    def test_again_by_a_later_typesetter_keeps_the_pages_of_the_first_time(self):
        given(REPORT, ISSUED).when(replace(ISSUE, pdf_sha256={"ru": "other"})).then(ISSUED)

    def test_of_the_first_release_is_still_read(self):
        old = {name: value for name, value in asdict(ISSUE).items() if name not in _NEW}
        told = REPORT.facts.decode("audit.report.issued", 1, canonical(old))
        assert told == replace(ISSUED, scope={}, definition_sha256="", pdf_sha256={}, checks={})


_NEW = {"scope", "definition_sha256", "pdf_sha256", "checks"}


class TestRead:
    def test_is_recorded_with_the_bytes_that_were_read(self):
        for format, digest in (("json", "d"), ("csv", "e"), ("pdf.ru", "g")):
            read = ReadReport(report_id="r", format=format, by="rita")
            given(REPORT, ISSUED).when(read).then(ReportRead(report_id="r", sha256=digest, format=format, by="rita"))

    def test_of_what_was_never_issued_is_not_found(self):
        with pytest.raises(ReportUnknown):
            given(REPORT).when(ReadReport(report_id="r", format="json", by="rita"))

    def test_in_a_form_that_was_not_made_is_not_found(self):
        with pytest.raises(FormatUnknown):
            given(REPORT, ISSUED).when(ReadReport(report_id="r", format="pdf.en", by="rita"))


class TestReportId:
    def test_follows_from_positions_and_code(self):
        one = report_id("model_inventory", {}, {"registry": 9, "inference": 2}, "c")
        assert one == report_id("model_inventory", {}, {"inference": 2, "registry": 9}, "c")
        assert one != report_id("model_inventory", {}, {"inference": 2, "registry": 9}, "d")
        assert one != report_id("model_inventory", {}, {"inference": 3, "registry": 9}, "c")
        assert one != report_id("model_inventory", {"first_day": "2026-01-01"}, {"inference": 2, "registry": 9}, "c")
