# A room to learn from: sending a parcel needs a second person, and gifts are wrapped.
package letopis.demo.parcel

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

# Written positively: a packer who is not named makes nobody independent.
deny contains "four_eyes.own_parcel" if {
	input.action == "demo.parcel.send"
	not independent
}

independent if input.subject.person != input.facts.packer

deny contains "parcel.too_heavy" if {
	input.action == "demo.parcel.send"
	not light
}

light if input.object.attributes.kilograms <= 20

# What the asker must do when it is allowed; one it does not know is a denial.
obligations contains {"type": "wrap", "colour": "red"} if input.object.attributes.gift == true
