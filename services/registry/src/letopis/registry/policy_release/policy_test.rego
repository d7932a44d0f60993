package letopis.registry.policy_release_test

import data.letopis.registry

import future.keywords.not
import rego.v1

publish := {
	"action": "registry.policy_release.publish",
	"subject": {"person": "vera", "login": "vera", "roles": ["risk_officer"], "groups": []},
	"purpose": "",
	"object": {"type": "policy_release", "id": "r-1", "tenant": "", "attributes": {}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"author": "pavel", "paths": ["settings/registry/session/cap/cores"]},
}

changed(part) := object.union(publish, part)

test_a_second_person_publishes if registry.authorize.allow with input as publish

test_the_author_does_not_publish if {
	answer := registry.authorize with input as changed({"subject": {"person": "pavel"}})
	not answer.allow
	answer.deny == {"release.self_publication"}
}

test_nobody_publishes_a_draft_without_an_author if {
	answer := registry.authorize with input as json.remove(publish, ["/facts/author"])
	answer.deny == {"input.incomplete", "release.self_publication"}
}

answered(verb, roles, groups, paths) := deny if {
	deny := registry.authorize.deny with input as changed({
		"action": sprintf("registry.policy_release.%s", [verb]),
		"subject": {"roles": roles, "groups": groups},
		"facts": {"paths": paths},
	})
}

# The same of both, else undefined.
scoped(roles, groups, paths) := deny if {
	deny := answered("draft", roles, groups, paths)
	deny == answered("publish", roles, groups, paths)
}

own := ["overlays/retail/settings/registry/session/cap/cores", "overlays/retail/rules/registry/session/limit.role/mode"]

test_a_department_looks_after_its_own_policy if {
	scoped(["model_owner"], ["policy:retail"], own) == set()
	scoped(["model_owner"], ["policy:cards", "policy:retail"], own) == set()
}

test_a_department_changes_nothing_else if {
	every paths in [
		["settings/registry/session/cap/cores"],
		["overlays/cards/settings/registry/session/cap/cores"],
		["overlays/retailers/settings/registry/session/cap/cores"],
		array.concat(own, ["settings/registry/session/cap/cores"]),
	] {
		scoped(["model_owner"], ["policy:retail"], paths) == {"release.out_of_scope"}
	}
}

test_who_looks_after_no_department_changes_nothing if {
	scoped(["model_owner"], ["retail", "department:retail"], own) == {"release.out_of_scope"}
}

test_the_whole_bank_is_changed_by_its_officers if {
	every role in ["risk_officer", "security_officer"] {
		scoped([role], [], ["settings/registry/session/cap/cores"]) == set()
	}
	registry.authorize.allow with input as changed({
		"action": "registry.policy_release.draft",
		"subject": {"roles": ["operator"]},
	})
}

test_what_is_no_text_is_in_nobodys_scope if {
	every path in [7, null] {
		"release.out_of_scope" in scoped(["model_owner"], [7, "policy:retail"], [path])
	}
}

test_a_group_that_is_no_text_hides_no_scope if {
	scoped(["model_owner"], [7, "policy:retail"], own) == {"input.incomplete"}
}

test_rehearsing_and_withdrawing_have_no_scope if {
	every verb in ["rehearse", "read"] {
		action := sprintf("registry.policy_release.%s", [verb])
		registry.authorize.allow with input as changed({"action": action, "subject": {"roles": ["model_owner"]}})
	}
	registry.authorize.allow with input as object.union(withdraw, {"subject": {"roles": ["model_owner"]}})
}

test_an_auditor_does_not_publish if {
	answer := registry.authorize with input as changed({"subject": {"roles": ["auditor"]}})
	answer.deny == {"release.out_of_scope", "role.not_granted"}
}

test_the_author_drafts_and_rehearses if {
	every verb in ["draft", "rehearse"] {
		action := sprintf("registry.policy_release.%s", [verb])
		registry.authorize.allow with input as changed({"action": action, "subject": {"person": "pavel"}})
	}
}

withdraw := changed({"action": "registry.policy_release.withdraw", "subject": {"person": "pavel"}})

test_the_author_withdraws if registry.authorize.allow with input as withdraw

test_another_does_not_withdraw if {
	answer := registry.authorize with input as object.union(withdraw, {"subject": {"person": "vera"}})
	answer.deny == {"release.other_draft"}
}

test_a_security_officer_withdraws_whatever if {
	officer := {"person": "olga", "roles": ["security_officer"]}
	registry.authorize.allow with input as object.union(withdraw, {"subject": officer})
}

test_anybody_reads if {
	registry.authorize.allow with input as changed({
		"action": "registry.policy_release.read",
		"subject": {"roles": ["data_scientist"]},
	})
}
