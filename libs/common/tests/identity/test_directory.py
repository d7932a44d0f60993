"""The directory: what the registry's facts make of a login, in any service that projects them."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letopis.common.identity.caller import Principal
from letopis.common.identity.directory import Directory, DirectoryView
from letopis.common.sealing import is_sealed
from letopis.common.testing.sample import facts, records
from letopis.common.testing.sealing import sealer
from letopis.common.testing.views import check_view, content_of
from letopis.registry.contract import (
    CONTRACT,
    GroupJoined,
    GroupLeft,
    KeyEnrolled,
    KeyRevoked,
    ModelRegistered,
    PrincipalEndChanged,
    PrincipalEnded,
    PrincipalRegistered,
    RoleGranted,
    RoleRevoked,
    TrainingAttested,
)


class Logins(DirectoryView):
    """As a service declares it; the whole contract is there, so facts of others must be passed over."""

    sources = {"registry": CONTRACT}


LOGIN = st.sampled_from(["anna", "boris"])
WORD = st.sampled_from(["x", "y", "z"])
REGISTERED = st.builds(
    PrincipalRegistered,
    login=LOGIN,
    person=WORD,
    name=WORD,
    kind=st.sampled_from(["human", "service"]),
    organisation=WORD,
    until=st.none() | st.dates(),
)
FACT = st.one_of(
    REGISTERED,
    st.builds(RoleGranted, login=LOGIN, role=WORD),
    st.builds(RoleRevoked, login=LOGIN, role=WORD),
    st.builds(GroupJoined, login=LOGIN, group=WORD),
    st.builds(GroupLeft, login=LOGIN, group=WORD),
    st.builds(KeyEnrolled, login=LOGIN, person=WORD, key_id=WORD, public_key=WORD),
    st.builds(KeyRevoked, login=LOGIN, key_id=WORD, reason=WORD),
    st.builds(TrainingAttested, login=LOGIN, training=WORD, until=st.dates(), evidence=st.just(""), by=WORD),
    st.builds(PrincipalEnded, login=LOGIN),
    st.builds(PrincipalEndChanged, login=LOGIN, until=st.none() | st.dates()),
)


def principal(*told):
    """The principal as the reader gives it, the rows coming from a fold instead of a database."""
    rows = content_of(Logins, records("registry", facts(CONTRACT, *told, sealer=sealer("registry"))))["directory"]

    class Reader:
        async def rows(self, view, statement):
            assert view is Logins
            return list(rows.values())

    return Directory(Reader(), Logins).find("anna")


ANNA = PrincipalRegistered(
    login="anna", person="a-1", name="Anna", kind="human", organisation="lab", until=date(2026, 12, 31)
)


class TestFold:
    @settings(max_examples=40, deadline=None)
    @given(told=st.lists(FACT, max_size=25), seed=st.integers(0, 1000))
    def test_is_a_fold_and_equals_sets(self, told, seed):
        content = check_view(
            Logins, records("registry", facts(CONTRACT, *told, sealer=sealer("registry"))), tries=5, seed=seed
        )["directory"]
        roles: dict[str, set[str]] = {}
        for fact in told:
            match fact:
                case PrincipalRegistered(login=login):
                    roles[login] = set()
                case RoleGranted(login=login, role=role) if login in roles:
                    roles[login].add(role)
                case RoleRevoked(login=login, role=role) if login in roles:
                    roles[login].discard(role)
                case _:
                    pass
        assert {key[0]: set(row["roles"]) for key, row in content.items()} == roles


class TestFind:
    async def test_a_principal_as_the_facts_tell_it(self):
        found = await principal(
            ANNA,
            RoleGranted(login="anna", role="validator"),
            RoleGranted(login="anna", role="auditor"),
            RoleRevoked(login="anna", role="auditor"),
            GroupJoined(login="anna", group="risk"),
            KeyEnrolled(login="anna", person="a-1", key_id="k1", public_key="AAA"),
            KeyEnrolled(login="anna", person="a-1", key_id="k2", public_key="BBB"),
            KeyRevoked(login="anna", key_id="k1", reason="lost"),
            TrainingAttested(login="anna", training="risk", until=date(2026, 12, 1), evidence="", by="pavel"),
            TrainingAttested(login="anna", training="risk", until=date(2027, 12, 1), evidence="", by="pavel"),
            ModelRegistered(model_id="m", name="m", owner="anna", description=""),
        )
        # A directory knows nobody's name in clear.
        assert is_sealed(found.name)
        assert replace(found, name="") == Principal(
            login="anna",
            person="a-1",
            name="",
            kind="human",
            organisation="lab",
            until=date(2026, 12, 31),
            roles=frozenset({"validator"}),
            groups=frozenset({"risk"}),
            keys={"k2": "BBB"},
            trainings={"risk": date(2027, 12, 1)},
        )

    async def test_the_end_is_remembered(self):
        assert (await principal(ANNA, PrincipalEnded(login="anna"))).ended

    async def test_a_contract_is_cut_short_or_moved(self):
        for until in (date(2026, 11, 1), None):
            assert (await principal(ANNA, PrincipalEndChanged(login="anna", until=until))).until == until

    @pytest.mark.parametrize("told", [[], [RoleGranted(login="anna", role="auditor")]])
    async def test_nobody_without_a_registration(self, told):
        assert await principal(*told) is None
