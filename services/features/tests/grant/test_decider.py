"""Grants end, name columns, and are never to oneself (A29)."""

from datetime import UTC, datetime, timedelta

from letopis.common.testing.decider import given
from letopis.features.grant.decider import (
    GRANT,
    GrantEmpty,
    GrantExists,
    GrantOver,
    GrantUnknown,
    GrantWithoutEnd,
    IssueGrant,
    OwnGrant,
    RevokeGrant,
    UnmaskWithoutReason,
)
from letopis.features.grant.events import GrantIssued, GrantRevoked

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FIELDS = {
    "grant_id": "g",
    "grantee": "anna",
    "purpose": "credit",
    "project": "scorecard",
    "columns": {"panel": ("bill", "status")},
    "unmask": False,
    "not_after": NOW + timedelta(days=30),
    "reason": "",
    "issued_by": "pavel",
}
ISSUED = GrantIssued(**FIELDS)
REVOKE = RevokeGrant(reason="over", revoked_by="pavel")


def issue(**changed):
    return IssueGrant(**(FIELDS | {"at": NOW} | changed))


class TestIssue:
    def test_names_columns_once_and_in_order(self):
        given(GRANT).when(issue(columns={"panel": ("status", "bill", "bill")})).then(ISSUED)

    def test_an_id_once(self):
        given(GRANT, ISSUED).when(issue()).refused(GrantExists)

    def test_not_to_oneself(self):
        given(GRANT).when(issue(grantee="pavel")).refused(OwnGrant)

    def test_not_without_columns_purpose_or_project(self):
        for changed in ({"columns": {}}, {"columns": {"panel": ()}}, {"purpose": " "}, {"project": ""}):
            given(GRANT).when(issue(**changed)).refused(GrantEmpty)

    def test_not_for_ever(self):
        for not_after in (NOW, NOW - timedelta(days=1), NOW + timedelta(days=367)):
            given(GRANT).when(issue(not_after=not_after)).refused(GrantWithoutEnd)

    def test_lifting_masks_has_a_reason(self):
        given(GRANT).when(issue(unmask=True)).refused(UnmaskWithoutReason)


class TestRevoke:
    def test_once(self):
        revoked = GrantRevoked(grant_id="g", reason="over", revoked_by="pavel")
        given(GRANT, ISSUED).when(REVOKE).then(revoked)
        given(GRANT, ISSUED, revoked).when(REVOKE).refused(GrantOver)
        given(GRANT).when(REVOKE).refused(GrantUnknown)
