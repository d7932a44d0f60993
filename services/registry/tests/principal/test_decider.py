"""Principals decide: one login once, known roles, real keys, an end that lasts."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from letopis.common.testing.decider import given
from letopis.registry.principal.decider import (
    PRINCIPAL,
    AttestTraining,
    EndPrincipal,
    EnrollKey,
    GrantRole,
    JoinGroup,
    KeyInvalid,
    KeyTaken,
    LeaveGroup,
    PrincipalExists,
    PrincipalGone,
    PrincipalUnknown,
    Register,
    RevokeKey,
    RevokeRole,
    RoleUnknown,
    key_id,
)
from letopis.registry.principal.events import (
    GroupJoined,
    GroupLeft,
    KeyEnrolled,
    KeyRevoked,
    PrincipalEnded,
    PrincipalRegistered,
    RoleGranted,
    RoleRevoked,
    TrainingAttested,
)

REGISTERED = PrincipalRegistered(
    login="boris", person="boris", name="Boris", kind="human", organisation="bank", until=None
)
REGISTER = Register(
    login="boris", person="boris", name="Boris", kind="human", organisation="bank", until=None, roles=("validator",)
)
GRANTED = RoleGranted(login="boris", role="validator")
PUBLIC = b64encode(bytes(32)).decode()
ENROLLED = KeyEnrolled(login="boris", person="boris", key_id=key_id(PUBLIC), public_key=PUBLIC)
REVOKED = KeyRevoked(login="boris", key_id=key_id(PUBLIC), reason="lost")


class TestRegister:
    def test_registers_with_roles(self):
        given(PRINCIPAL).when(REGISTER).then(REGISTERED, GRANTED)

    def test_refuses_a_login_twice(self):
        given(PRINCIPAL, REGISTERED).when(REGISTER).refused(PrincipalExists)

    def test_refuses_a_login_that_ended(self):
        given(PRINCIPAL, REGISTERED, PrincipalEnded(login="boris")).when(REGISTER).refused(PrincipalGone)


class TestRoles:
    def test_grants_and_revokes(self):
        given(PRINCIPAL, REGISTERED).when(GrantRole(role="validator")).then(GRANTED)
        given(PRINCIPAL, REGISTERED, GRANTED).when(RevokeRole(role="validator")).then(
            RoleRevoked(login="boris", role="validator")
        )

    def test_attests_a_training_up_to_a_day(self):
        command = AttestTraining(training="personal-data", until=date(2026, 12, 31), evidence="", by="pavel")
        fact = TrainingAttested(
            login="boris", training="personal-data", until=date(2026, 12, 31), evidence="", by="pavel"
        )
        given(PRINCIPAL, REGISTERED).when(command).then(fact)
        given(PRINCIPAL, REGISTERED, fact).when(command).then()
        shown = replace(command, evidence="0" * 64)
        given(PRINCIPAL, REGISTERED, fact).when(shown).then(replace(fact, evidence="0" * 64))
        sooner = replace(command, until=date(2026, 11, 1))
        given(PRINCIPAL, REGISTERED, fact).when(sooner).then(replace(fact, until=date(2026, 11, 1)))

    def test_says_nothing_twice(self):
        given(PRINCIPAL, REGISTERED, GRANTED).when(GrantRole(role="validator")).then()
        given(PRINCIPAL, REGISTERED).when(RevokeRole(role="validator")).then()

    def test_refuses_roles_nobody_knows(self):
        given(PRINCIPAL, REGISTERED).when(GrantRole(role="wizard")).refused(RoleUnknown)

    def test_refuses_for_nobody(self):
        given(PRINCIPAL).when(GrantRole(role="validator")).refused(PrincipalUnknown)


class TestGroups:
    def test_joins_and_leaves(self):
        joined = GroupJoined(login="boris", group="risk")
        given(PRINCIPAL, REGISTERED).when(JoinGroup(group="risk")).then(joined)
        given(PRINCIPAL, REGISTERED, joined).when(LeaveGroup(group="risk")).then(GroupLeft(login="boris", group="risk"))


class TestKeys:
    def test_enrols_a_key_under_its_own_hash(self):
        given(PRINCIPAL, REGISTERED).when(EnrollKey(public_key=PUBLIC)).then(ENROLLED)

    @pytest.mark.parametrize("bad", ["", "not base64!", b64encode(bytes(31)).decode()])
    def test_refuses_what_is_no_key(self, bad):
        given(PRINCIPAL, REGISTERED).when(EnrollKey(public_key=bad)).refused(KeyInvalid)

    def test_never_takes_a_key_again(self):
        given(PRINCIPAL, REGISTERED, ENROLLED).when(EnrollKey(public_key=PUBLIC)).refused(KeyTaken)
        given(PRINCIPAL, REGISTERED, ENROLLED, REVOKED).when(EnrollKey(public_key=PUBLIC)).refused(KeyTaken)

    def test_revokes(self):
        given(PRINCIPAL, REGISTERED, ENROLLED).when(RevokeKey(key_id=ENROLLED.key_id, reason="lost")).then(REVOKED)


class TestEnd:
    def test_ends_for_good(self):
        ended = PrincipalEnded(login="boris")
        command = EndPrincipal(at=datetime(2026, 11, 21, tzinfo=UTC))
        given(PRINCIPAL, REGISTERED).when(command).then(ended)
        given(PRINCIPAL, REGISTERED, ended).when(GrantRole(role="validator")).refused(PrincipalGone)
