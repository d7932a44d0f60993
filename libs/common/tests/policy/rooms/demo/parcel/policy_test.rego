package letopis.demo.parcel_test

import data.letopis.demo

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
