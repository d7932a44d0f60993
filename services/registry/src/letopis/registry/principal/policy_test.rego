package letopis.registry.principal_test

import data.letopis.registry
import data.letopis.registry.principal

import future.keywords.not
import rego.v1

grant := {
	"action": "registry.principal.grant_role",
	"subject": {"person": "olga", "login": "olga", "roles": ["administrator"], "groups": []},
	"purpose": "",
	"object": {"type": "principal", "id": "boris", "attributes": {"login": "boris", "kind": "human", "roles": ["validator"], "held": ["model_owner"], "organisation": "bank", "days": 999999}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

first := {
	"action": "registry.principal.enrol_first",
	"subject": {"person": "olga", "login": "olga", "roles": [], "groups": []},
	"purpose": "",
	"object": {"type": "principal", "id": "olga", "attributes": {"login": "olga"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"enrolled": false, "token_matches": true},
}

enroll := {
	"action": "registry.principal.enroll_key",
	"subject": {"person": "boris", "login": "boris", "roles": ["validator"], "groups": []},
	"purpose": "",
	"object": {"type": "principal", "id": "boris", "attributes": {"login": "boris"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_an_administrator_grants if registry.authorize.allow with input as grant

test_nobody_grants_to_themselves if {
	answer := registry.authorize with input as object.union(grant, {"object": {"id": "olga"}})
	answer.deny == {"roles.own_grant"}
}

attest := {
	"action": "registry.principal.attest_training",
	"subject": {"person": "pavel", "login": "pavel", "roles": ["security_officer"], "groups": []},
	"purpose": "",
	"object": {"type": "principal", "id": "boris", "attributes": {"login": "boris"}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_a_security_officer_attests_a_training if registry.authorize.allow with input as attest

test_nobody_attests_their_own_training if {
	answer := registry.authorize with input as object.union(attest, {"object": {"id": "pavel"}})
	not answer.allow
	answer.deny == {"trainings.own"}
}

test_an_unnamed_principal_is_not_another if {
	answer := registry.authorize with input as object.union(attest, {"object": {"id": null}})
	"trainings.own" in answer.deny
}

test_an_administrator_attests_no_training if {
	answer := registry.authorize with input as object.union(attest, {"subject": {"roles": ["administrator"]}})
	answer.deny == {"role.not_granted"}
}

test_a_toxic_pair_is_denied if {
	asked := object.union(grant, {"object": {"attributes": {"held": ["data_scientist"]}}})
	answer := registry.authorize with input as asked
	not answer.allow
	answer.deny == {"roles.toxic_pair"}
}

test_a_toxic_pair_at_registration_is_denied if {
	asked := object.union(grant, {
		"action": "registry.principal.register",
		"object": {"attributes": {"roles": ["validator", "data_scientist"], "held": []}},
	})
	answer := registry.authorize with input as asked
	answer.deny == {"roles.toxic_pair"}
}

test_a_program_never_approves if {
	asked := object.union(grant, {"object": {"attributes": {"kind": "service", "held": []}}})
	answer := registry.authorize with input as asked
	answer.deny == {"roles.for_people"}
}

test_a_program_consumes if {
	attributes := {"kind": "service", "roles": ["consumer"], "held": []}
	asked := object.union(grant, {"action": "registry.principal.register", "object": {"attributes": attributes}})
	registry.authorize.allow with input as asked
}

test_an_unknown_kind_is_denied if {
	answer := registry.authorize with input as json.remove(grant, ["/object/attributes/kind"])
	"roles.for_people" in answer.deny
}

test_unknown_holdings_are_denied if {
	answer := registry.authorize with input as json.remove(grant, ["/object/attributes/held"])
	not answer.allow
}

test_the_first_token_enrols if registry.authorize.allow with input as first

test_the_token_works_once if {
	answer := registry.authorize with input as object.union(first, {"facts": {"enrolled": true}})
	answer.deny == {"enrolment.used"}
}

test_another_token_does_not_enrol if {
	answer := registry.authorize with input as object.union(first, {"facts": {"token_matches": false}})
	answer.deny == {"enrolment.wrong_token"}
}

test_an_unknown_state_does_not_enrol if {
	answer := registry.authorize with input as json.remove(first, ["/facts/enrolled", "/facts/token_matches"])
	"enrolment.used" in answer.deny
	"enrolment.wrong_token" in answer.deny
}

test_a_person_enrols_their_own_key if registry.authorize.allow with input as enroll

test_a_person_does_not_enrol_for_another if {
	answer := registry.authorize with input as object.union(enroll, {"object": {"id": "vera"}})
	answer.deny == {"keys.own_only"}
}

test_a_security_officer_revokes_anyones_key if {
	asked := object.union(enroll, {
		"action": "registry.principal.revoke_key",
		"subject": {"login": "pavel", "roles": ["security_officer"]},
	})
	registry.authorize.allow with input as asked
}

test_a_security_officer_enrols_nobodys_key if {
	answer := registry.authorize with input as object.union(enroll, {"subject": {"login": "pavel", "roles": ["security_officer"]}})
	answer.deny == {"keys.own_only"}
}

# The rules are about the actions they name, and no other.
test_another_action_is_another_matter if principal.deny == set() with input as {"action": "registry.principal.other"}

test_every_toxic_pair_is_denied if {
	every pair in [
		["data_scientist", "validator"],
		["data_scientist", "risk_officer"],
		["administrator", "auditor"],
		["administrator", "model_owner"],
	] {
		asked := {"object": {"attributes": {"held": [pair[0]], "roles": [pair[1]]}}}
		answer := registry.authorize with input as object.union(grant, asked)
		answer.deny == {"roles.toxic_pair"}
	}
}

test_half_a_pair_is_none if {
	every role in ["data_scientist", "validator", "risk_officer", "administrator", "auditor", "model_owner"] {
		registry.authorize.allow with input as object.union(grant, {"object": {"attributes": {"held": [], "roles": [role]}}})
	}
}

test_registration_obeys_the_same_rules if {
	own := object.union(grant, {"action": "registry.principal.register", "object": {"id": "olga"}})
	answer := registry.authorize with input as own
	answer.deny == {"roles.own_grant"}
	program := object.union(grant, {"action": "registry.principal.register", "object": {"attributes": {"kind": "service"}}})
	refused := registry.authorize with input as program
	refused.deny == {"roles.for_people"}
}

test_a_kind_between_is_no_kind if {
	odd := object.union(grant, {"object": {"attributes": {"kind": "robot", "roles": ["consumer"], "held": []}}})
	answer := registry.authorize with input as odd
	"roles.for_people" in answer.deny
}

test_a_stranger_revokes_nobodys_key if {
	asked := object.union(enroll, {
		"action": "registry.principal.revoke_key",
		"subject": {"login": "pavel", "roles": ["validator"]},
	})
	answer := registry.authorize with input as asked
	answer.deny == {"keys.own_only"}
}

test_a_login_that_is_no_name_owns_no_key if {
	answer := registry.authorize with input as object.union(enroll, {"subject": {"login": 7}, "object": {"id": 7}})
	"keys.own_only" in answer.deny
}

test_a_toxic_pair_may_be_taken_apart if {
	held := {"object": {"attributes": {"held": ["data_scientist", "validator"]}}}
	registry.authorize.allow with input as object.union(object.union(grant, held), {"action": "registry.principal.revoke_role"})
}

test_every_role_of_a_program_is_given if {
	every role in ["consumer", "subscriber"] {
		asked := {"object": {"attributes": {"kind": "service", "roles": [role], "held": []}}}
		registry.authorize.allow with input as object.union(grant, asked)
	}
}

batch := object.union(grant, {
	"action": "registry.principal.register_batch",
	"object": {"id": "*", "attributes": {"logins": ["ivan", "petr"], "held": []}},
})

test_an_administrator_registers_many if registry.authorize.allow with input as batch

test_nobody_is_in_their_own_batch if {
	asked := object.union(batch, {"object": {"attributes": {"logins": ["ivan", "olga"]}}})
	answer := registry.authorize with input as asked
	answer.deny == {"roles.own_grant"}
}

test_a_batch_holds_no_toxic_pair if {
	asked := object.union(batch, {"object": {"attributes": {"roles": ["administrator", "auditor"]}}})
	answer := registry.authorize with input as asked
	answer.deny == {"roles.toxic_pair"}
}

contractor := object.union(batch, {"object": {"attributes": {"organisation": "vendor", "days": 366}}})

test_a_contractor_has_an_end_date if registry.authorize.allow with input as contractor

test_a_contract_without_a_near_end_is_denied if {
	every days in [367, 999999] {
		answer := registry.authorize with input as object.union(contractor, {"object": {"attributes": {"days": days}}})
		answer.deny == {"contractors.end_date"}
	}
}

moved := object.union(contractor, {"action": "registry.principal.change_end", "object": {"id": "ivan"}})

test_a_contract_is_moved_or_cut_short if {
	registry.authorize.allow with input as moved
	registry.authorize.allow with input as object.union(moved, {"object": {"attributes": {"days": -1}}})
}

test_a_contract_is_not_moved_far_away if {
	answer := registry.authorize with input as object.union(moved, {"object": {"attributes": {"days": 400}}})
	answer.deny == {"contractors.end_date"}
}

test_a_vendors_program_needs_no_end_date if {
	attributes := {"kind": "service", "roles": ["consumer"], "days": 999999}
	registry.authorize.allow with input as object.union(contractor, {"object": {"attributes": attributes}})
}

test_the_banks_own_need_no_end_date if {
	asked := object.union(moved, {"object": {"attributes": {"organisation": "bank", "days": 999999}}})
	registry.authorize.allow with input as asked
}

joining := {
	"action": "registry.principal.join_group",
	"subject": {"person": "olga", "login": "olga", "roles": ["administrator"], "groups": []},
	"purpose": "",
	"object": {
		"type": "principal",
		"id": "boris",
		"attributes": {"kind": "human", "group": "risk", "roles": ["validator"], "held": []},
	},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_joining_a_group_is_getting_its_roles if {
	registry.authorize.allow with input as joining
	toxic := object.union(joining, {"object": {"attributes": {"held": ["data_scientist"]}}})
	registry.authorize.deny == {"roles.toxic_pair"} with input as toxic
	own := object.union(joining, {"object": {"id": "olga"}})
	registry.authorize.deny == {"roles.own_grant"} with input as own
	program := object.union(joining, {"object": {"attributes": {"kind": "service"}}})
	registry.authorize.deny == {"roles.for_people"} with input as program
}

theft := {
	"action": "registry.principal.report_theft",
	"subject": {"person": "boris", "login": "boris", "roles": [], "groups": []},
	"purpose": "",
	"object": {"type": "principal", "id": "boris", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {},
}

test_a_theft_is_reported_by_the_person_or_by_security if {
	registry.authorize.allow with input as theft
	registry.authorize.allow with input as object.union(theft, {"subject": {"login": "pavel", "roles": ["security_officer"]}})
	other := object.union(theft, {"subject": {"login": "anna"}})
	registry.authorize.deny == {"keys.own_only"} with input as other
}

by_lead := object.union(joining, {
	"subject": {"person": "anna", "login": "anna", "roles": [], "groups": ["lead:risk"]},
	"object": {"attributes": {"roles": []}},
})

test_a_lead_brings_in_colleagues_and_lets_them_go if {
	registry.authorize.allow with input as by_lead
	registry.authorize.allow with input as object.union(by_lead, {"action": "registry.principal.leave_group"})
}

test_a_lead_gives_no_roles_and_leads_no_other_group if {
	every part in [
		{"object": {"attributes": {"roles": ["validator"]}}},
		{"object": {"attributes": {"group": "other"}}},
		{"subject": {"groups": ["risk"]}},
		{"object": {"attributes": {"group": 7}}},
	] {
		"groups.not_lead" in registry.authorize.deny with input as object.union(by_lead, part)
	}
	left := object.union(by_lead, {"action": "registry.principal.leave_group", "subject": {"groups": []}})
	registry.authorize.deny == {"groups.not_lead"} with input as left
}

test_a_lead_does_not_join_by_their_own_hand if {
	own := object.union(by_lead, {"object": {"id": "anna"}})
	registry.authorize.deny == {"roles.own_grant"} with input as own
}
