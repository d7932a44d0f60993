package letopis.demo.parcel_test

import data.letopis.demo
import data.letopis.gate

import future.keywords.not
import rego.v1

send := {
	"action": "demo.parcel.send",
	"subject": {"person": "boris", "login": "boris", "roles": ["operator"], "groups": []},
	"purpose": "deliveries",
	"object": {"type": "parcel", "id": "p-1", "tenant": "", "attributes": {"kilograms": 3, "gift": false}},
	"context": {"time": "2026-11-21T06:55:08.123456Z"},
	"facts": {"packer": "anna"},
}

changed(part) := object.union(send, part)

test_another_operator_sends if demo.authorize.allow with input as send

test_the_packer_does_not_send if {
	answer := demo.authorize with input as changed({"subject": {"person": "anna"}})
	not answer.allow
	answer.deny == {"four_eyes.own_parcel"}
	answer.reasons["four_eyes.own_parcel"].remedy == "ask another operator to send it"
}

test_an_unnamed_packer_is_incomplete if {
	answer := demo.authorize with input as json.remove(send, ["/facts/packer"])
	not answer.allow
	"input.incomplete" in answer.deny
	"four_eyes.own_parcel" in answer.deny
}

test_a_heavy_parcel_warns if {
	answer := demo.authorize with input as changed({"object": {"attributes": {"kilograms": 21}}})
	answer.allow
	answer.warned == {"parcel.too_heavy"}
}

test_a_heavy_parcel_is_prevented_once_the_mode_says_so if {
	answer := demo.authorize with input as changed({"object": {"attributes": {"kilograms": 21}}})
		with data.bundle.rules.demo.parcel["parcel.too_heavy"].mode as "prevent"
	not answer.allow
	answer.deny == {"parcel.too_heavy"}
}

test_a_light_parcel_does_not_warn if {
	answer := demo.authorize with input as send
	answer.warned == set()
}

test_a_gift_is_wrapped if {
	answer := demo.authorize with input as changed({"object": {"attributes": {"gift": true}}})
	answer.obligations == {{"type": "wrap", "colour": "red"}}
}

test_a_stranger_reads_nothing if {
	answer := demo.authorize with input as changed({"action": "demo.parcel.read", "subject": {"roles": ["consumer"]}})
	not answer.allow
	answer.deny == {"role.not_granted"}
}

# The gate itself, answer by answer, as everybody meets it.
denial := {"allow": false, "warned": set(), "observed": set(), "obligations": set(), "revision": data.bundle.revision}

test_whoever_is_known_may_track if {
	stranger := {"subject": {"roles": []}, "action": "demo.parcel.track"}
	demo.authorize.allow with input as changed(stranger)
}

test_the_gate_tells_of_an_action_nobody_declared if {
	answer := demo.authorize with input as changed({"action": "demo.parcel.fly"})
	answer == object.union(denial, {"deny": {"action.unknown"}, "reasons": {"action.unknown": {
		"owner": "the service's developers",
		"message": "no room declares this action",
		"remedy": "report it: the service asks about an action that the policy in force does not know",
	}}})
}

test_the_gate_tells_who_may_instead if {
	answer := demo.authorize with input as changed({"action": "demo.parcel.read", "subject": {"roles": ["consumer"]}})
	answer == object.union(denial, {"deny": {"role.not_granted"}, "reasons": {"role.not_granted": {
		"owner": "the administrators of roles",
		"message": "none of your roles may do this; one of operator, auditor may",
		"remedy": "ask an administrator for the role, or somebody who has it to act",
	}}})
}

# Roles that require trainings count once these are attested.
trainings := {"principal": {"trainings": {"operator": ["parcels", "scales"], "auditor": ["ledgers"]}}}

trained(names) := changed({"subject": {"trainings": names}})

test_a_trained_operator_sends if {
	demo.authorize.allow with input as trained(["scales", "parcels"]) with data.bundle.settings.registry as trainings
}

test_the_gate_tells_which_trainings_are_missing if {
	answer := demo.authorize with input as trained(["scales", "ledgers"]) with data.bundle.settings.registry as trainings
	answer == object.union(denial, {"deny": {"role.untrained"}, "reasons": {"role.untrained": {
		"owner": "Information security",
		"message": "your role requires a training that is attested and has not run out: parcels",
		"remedy": "pass it; a security officer attests it with its last day",
	}}})
}

test_without_any_training_all_are_missing if {
	answer := demo.authorize with input as send with data.bundle.settings.registry as trainings
	endswith(answer.reasons["role.untrained"].message, ": parcels, scales")
}

test_of_two_roles_one_that_is_trained_for_is_enough if {
	answer := demo.authorize with data.bundle.settings.registry as trainings with input as changed({
		"action": "demo.parcel.read",
		"subject": {"roles": ["operator", "auditor"], "trainings": ["ledgers"]},
	})
	answer.allow
}

test_who_has_no_role_is_told_of_none_to_train_for if {
	answer := demo.authorize with data.bundle.settings.registry as trainings with input as changed({
		"action": "demo.parcel.read",
		"subject": {"roles": ["consumer"]},
	})
	answer.deny == {"role.not_granted"}
}

incomplete(question) := answer.reasons["input.incomplete"] if answer := demo.authorize with input as question

test_the_gate_tells_what_is_missing if {
	incomplete(json.remove(send, ["/facts/packer"])) == {
		"owner": "the service's developers",
		"message": "the question is not complete: it lacks facts.packer",
		"remedy": "state what is missing (a purpose by the header Letopis-Purpose) and ask again",
	}
	two := incomplete(changed({"purpose": "", "facts": {"packer": ""}}))
	two.message == "the question is not complete: it lacks facts.packer, purpose"
}

test_the_gate_tells_what_is_of_another_kind if {
	odd := incomplete(changed({"facts": {"packer": 7}, "purpose": 8}))
	odd.message == concat("", [
		"the question is not complete: facts.packer: Invalid type. Expected: string, given: integer; ",
		"purpose: Invalid type. Expected: string, given: integer",
	])
}

heavy := changed({"object": {"attributes": {"kilograms": 21}}})

told := {"owner": "Work safety", "message": "the parcel weighs more than 20 kg", "remedy": "split it in two"}

test_the_gate_warns_in_words if {
	answer := demo.authorize with input as heavy
	answer == object.union(denial, {
		"allow": true,
		"deny": set(),
		"warned": {"parcel.too_heavy"},
		"reasons": {"parcel.too_heavy": told},
	})
}

test_the_gate_observes_in_silence if {
	answer := demo.authorize with input as heavy
		with data.bundle.rules.demo.parcel["parcel.too_heavy"].mode as "observe"
	answer == object.union(denial, {"allow": true, "deny": set(), "observed": {"parcel.too_heavy"}, "reasons": {}})
}

test_a_rule_without_words_prevents_by_its_name if {
	answer := demo.authorize with input as heavy
		with data.bundle.rules as {}
	answer == object.union(denial, {"deny": {"parcel.too_heavy"}, "reasons": {"parcel.too_heavy": {
		"owner": "",
		"message": "parcel.too_heavy",
		"remedy": "",
	}}})
}

test_no_room_says_yes_against_its_own_denials if {
	consent := gate.answer(true, set()) with input as send
	consent.allow == true
	silence := gate.answer(false, set()) with input as send
	silence.allow == false
	contradiction := gate.answer(true, {"four_eyes.own_parcel"}) with input as send
	contradiction.allow == false
}

test_a_room_adds_to_the_words_of_a_rule if {
	answer := gate.answer_told(true, {"parcel.too_heavy"}, set(), {"parcel.too_heavy": "30 kg"}) with input as heavy
	answer.reasons["parcel.too_heavy"].message == "the parcel weighs more than 20 kg: 30 kg"
	other := gate.answer_told(true, {"parcel.too_heavy"}, set(), {"other": "30 kg"}) with input as heavy
	other.reasons["parcel.too_heavy"] == told
}

# What departments tighten.
of(entries) := object.union({"service": "demo", "room": "parcel"}, entries)

heavy_in(groups) := changed({"subject": {"groups": groups}, "object": {"attributes": {"kilograms": 21}}})

stern := {"retail": [of({"rule": "parcel.too_heavy", "value": "prevent"})]}

test_a_department_prevents_what_the_bank_only_warns_of if {
	answer := demo.authorize with input as heavy_in(["department:retail"])
		with data.bundle.overlays as stern
	answer.deny == {"parcel.too_heavy"}
}

test_another_department_is_not_concerned if {
	every groups in [[], ["retail"], ["department:shops"], ["team:department:retail"]] {
		answer := demo.authorize with input as heavy_in(groups)
			with data.bundle.overlays as stern
		answer.warned == {"parcel.too_heavy"}
	}
}

test_a_group_that_is_no_text_hides_no_department if {
	answer := demo.authorize with input as heavy_in([7, "department:retail"])
		with data.bundle.overlays as stern
	answer.deny == {"input.incomplete", "parcel.too_heavy"}
}

test_what_is_of_another_room_or_rule_tightens_nothing_here if {
	every entry in [{"service": "other"}, {"room": "other"}, {"rule": "four_eyes.own_parcel"}] {
		other := object.union(of({"rule": "parcel.too_heavy", "value": "prevent"}), entry)
		answer := demo.authorize with input as heavy_in(["department:retail"])
			with data.bundle.overlays as {"retail": [other]}
		answer.warned == {"parcel.too_heavy"}
	}
}

test_a_department_never_softens if {
	soft := {"retail": [of({"rule": "four_eyes.own_parcel", "value": "observe"})]}
	answer := demo.authorize with input as changed({"subject": {"person": "anna", "groups": ["department:retail"]}})
		with data.bundle.overlays as soft
	answer.deny == {"four_eyes.own_parcel"}
	mild := {"retail": [of({"rule": "parcel.too_heavy", "value": "warn"})]}
	warned := demo.authorize with input as heavy_in(["department:retail"])
		with data.bundle.overlays as mild
		with data.bundle.rules.demo.parcel["parcel.too_heavy"].mode as "observe"
	warned.warned == {"parcel.too_heavy"}
}

terms_in(groups) := found if {
	found := gate.terms with input as heavy_in(groups)
		with data.bundle.settings.demo.parcel as {"most": 9, "least": 1, "open": ["a", "b", "c"], "masked": ["z"], "in": {"one": 5}}
		with data.bundle.overlays as {
			"retail": [
				of({"at": "/most", "tighter": "lower", "value": 7}),
				of({"at": "/least", "tighter": "higher", "value": 2}),
				of({"at": "/open", "tighter": "fewer", "value": ["b", "a"]}),
				of({"at": "/masked", "tighter": "more", "value": ["z", "y"]}),
				of({"at": "/in/one", "tighter": "lower", "value": 4}),
			],
			"cards": [
				of({"at": "/most", "tighter": "lower", "value": 8}),
				of({"at": "/least", "tighter": "higher", "value": 3}),
				of({"at": "/open", "tighter": "fewer", "value": ["c", "b"]}),
				of({"at": "/masked", "tighter": "more", "value": ["z", "x"]}),
			],
		}
}

test_settings_are_the_banks_without_a_department if {
	terms_in([]) == {"most": 9, "least": 1, "open": ["a", "b", "c"], "masked": ["z"], "in": {"one": 5}}
}

test_settings_are_the_departments if {
	terms := {"most": 7, "least": 2, "open": ["b", "a"], "masked": ["y", "z"], "in": {"one": 4}}
	terms_in(["department:retail"]) == terms
}

test_of_two_departments_the_tightest_holds if {
	terms := {"most": 7, "least": 3, "open": ["b"], "masked": ["x", "y", "z"], "in": {"one": 4}}
	terms_in(["department:cards", "department:retail"]) == terms
}

test_one_tightening_alone_is_enough if {
	terms := gate.terms with input as heavy_in(["department:retail"])
		with data.bundle.settings.demo.parcel as {"most": 9}
		with data.bundle.overlays as {"retail": [of({"at": "/most", "tighter": "lower", "value": 7})]}
	terms == {"most": 7}
}
