"""Who a caller is: the token says the login, recorded facts say what the login may be."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from letopis.common.identity.caller import Principal, PrincipalOver, caller_of
from letopis.common.identity.claims import Claims

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CLAIMS = Claims(
    login="anna", issuer="https://i", issued_at=NOW, expires_at=NOW, person="p-token", groups=frozenset({"all"})
)
ANNA = Principal(
    login="anna",
    person="anna-ivanova",
    name="Anna",
    kind="human",
    roles=frozenset({"data_scientist"}),
    groups=frozenset({"lab"}),
    keys={},
)


class TestCaller:
    def test_roles_groups_and_person_come_from_facts(self):
        caller = caller_of(CLAIMS, ANNA, "training", "t", NOW)
        assert (caller.person, caller.roles, caller.groups) == ("anna-ivanova", {"data_scientist"}, {"lab"})
        assert (caller.purpose, caller.issuer, caller.token) == ("training", "https://i", "t")

    def test_a_stranger_has_no_roles(self):
        caller = caller_of(CLAIMS, None, "", "t", NOW)
        assert (caller.person, caller.roles, caller.groups) == ("p-token", frozenset(), frozenset())

    def test_a_service_has_its_role_and_no_person(self):
        caller = caller_of(replace(CLAIMS, login="service:audit", service="audit"), None, "", "t", NOW)
        assert (caller.person, caller.service, caller.roles) == ("", "audit", {"service"})

    def test_no_fact_makes_a_person_a_service(self):
        caller = caller_of(CLAIMS, replace(ANNA, roles=frozenset({"service", "auditor"})), "", "t", NOW)
        assert caller.roles == {"auditor"}

    def test_the_last_day_counts_and_the_next_does_not(self):
        """A34: a contractor's access dies on the contract's date."""
        assert caller_of(CLAIMS, replace(ANNA, until=date(2026, 11, 21)), "", "t", NOW)
        with pytest.raises(PrincipalOver):
            caller_of(CLAIMS, replace(ANNA, until=date(2026, 11, 20)), "", "t", NOW)

    def test_trainings_count_up_to_their_last_day(self):
        trained = replace(ANNA, trainings={"risk": date(2026, 11, 21), "personal-data": date(2026, 11, 20)})
        assert caller_of(CLAIMS, trained, "", "t", NOW).trainings == {"risk"}

    def test_an_ended_login_is_nobody(self):
        with pytest.raises(PrincipalOver):
            caller_of(CLAIMS, replace(ANNA, ended=True), "", "t", NOW)
