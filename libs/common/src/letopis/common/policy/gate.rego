# What every room shares: who is granted an action, whether the question is complete,
# in which mode a rule stands, and the one shape of an answer.
package letopis.gate

import future.keywords.not
import rego.v1

# The service and the room that own the asked action: "registry.promotion.approve".
service := named[0]

room := named[1]

named := split(input.action, ".") if is_string(input.action)

declared := data.bundle.actions[input.action]

# "*" stands for whoever is authenticated, with or without a role.
granted if "*" in declared.roles

granted if {
	some role in held
	every training in required(role) {
		training in input.subject.trainings
	}
}

held := {role | some role in input.subject.roles; role in declared.roles}

# A role counts while the trainings that it requires are attested.
required(role) := object.get(data.bundle.settings, ["registry", "principal", "trainings", role], [])

untrained := {training | some role in held; some training in required(role); not training in input.subject.trainings}

# Before a rule is heard, the question is held against the JSON schema of its action: [fits, complaints].
checked := json.match_schema(input, data.bundle.schemas[input.action])

fits if checked[0] == true

missing contains path if {
	some path in declared.requires
	object.get(input, split(path, "."), null) in {null, ""}
}

# What a person reads: the missing paths by name, anything else in the words of the schema.
lacking contains sprintf("it lacks %s", [concat(", ", missing)]) if count(missing) > 0

lacking contains complaint.error if {
	count(missing) == 0
	some complaint in checked[1]
}

# The rules that hold for every action and cannot be set to observe or warn.
barred["action.unknown"] := {
	"owner": "the service's developers",
	"message": "no room declares this action",
	"remedy": "report it: the service asks about an action that the policy in force does not know",
} if not declared

barred["role.not_granted"] := {
	"owner": "the administrators of roles",
	"message": sprintf("none of your roles may do this; one of %s may", [concat(", ", declared.roles)]),
	"remedy": "ask an administrator for the role, or somebody who has it to act",
} if { # of an action nobody declared there is nothing to say: no roles, no message
	not granted
	count(held) == 0
}

barred["role.untrained"] := {
	"owner": "Information security",
	"message": sprintf("your role requires a training that is attested and has not run out: %s", [concat(", ", untrained)]),
	"remedy": "pass it; a security officer attests it with its last day",
} if {
	not granted
	count(held) > 0
}

barred["input.incomplete"] := {
	"owner": "the service's developers",
	"message": sprintf("the question is not complete: %s", [concat("; ", lacking)]),
	"remedy": "state what is missing (a purpose by the header Letopis-Purpose) and ask again",
} if {
	declared
	not fits
}

# What the departments of the subject have tightened; the group `department:<name>` says who belongs to one.
tightened contains entry if {
	some group in input.subject.groups
	is_string(group)
	startswith(group, "department:")
	some entry in data.bundle.overlays[trim_prefix(group, "department:")]
	entry.service == service
	entry.room == room
}

# The settings of the room for this subject: the bank's, or the tightest of the departments'.
terms := data.bundle.settings[service][room] if {
	count(tightened) == 0
} else := json.patch(data.bundle.settings[service][room], [{"op": "add", "path": path, "value": tightest(path)} |
	some path in {entry.at | some entry in tightened}
])

tightest(path) := value if {
	entries := [entry | some entry in tightened; entry.at == path]
	value := tightest_of(entries[0].tighter, [entry.value | some entry in entries])
}

tightest_of("lower", values) := min(values)

tightest_of("higher", values) := max(values)

tightest_of("fewer", values) := [one | some one in values[0]; count([1 | some list in values; one in list]) == count(values)]

tightest_of("more", values) := sort({one | some list in values; some one in list})

# A rule without a mode prevents: forgetting to declare one never opens a gate. The strictest of several holds.
modes(rule) := {object.get(data.bundle.rules, [service, room, rule, "mode"], null)} | {entry.value |
	some entry in tightened
	entry.rule == rule
}

mode(rule) := "observe" if {
	modes(rule) == {"observe"}
} else := "warn" if {
	count(modes(rule) - {"observe", "warn"}) == 0
} else := "prevent"

preventing(fired) := in_mode(fired, "prevent")

in_mode(fired, wanted) := {rule | some rule in fired; mode(rule) == wanted}

# Whether nothing stands in the way; a room's allow rests on it.
open(fired) if {
	count(barred) == 0
	count(preventing(fired)) == 0
}

text(rule) := object.get(data.bundle.rules, [service, room, rule], {})

reasons(fired, details) := object.union(barred, {rule: reason |
	some rule in (preventing(fired) | in_mode(fired, "warn"))
	told := text(rule)
	reason := {
		"owner": object.get(told, "owner", ""),
		"message": worded(object.get(told, "message", rule), object.get(details, rule, null)),
		"remedy": object.get(told, "remedy", ""),
	}
})

# A room may add to the words of a rule what it fired on: who asked for how much, and how much there is.
worded(message, null) := message

worded(message, detail) := sprintf("%s: %s", [message, detail]) if is_string(detail)

# The answer of a room. `open` is asked again: a room cannot answer yes against its own denials.
answer_told(allowed, fired, obligations, details) := {
	"allow": yes(allowed, fired),
	"deny": (object.keys(barred) | preventing(fired)),
	"warned": in_mode(fired, "warn"),
	"observed": in_mode(fired, "observe"),
	"obligations": obligations,
	"reasons": reasons(fired, details),
	"revision": data.bundle.revision,
}

answer_with(allowed, fired, obligations) := answer_told(allowed, fired, obligations, {})

answer(allowed, fired) := answer_with(allowed, fired, set())

# The answer where roles alone decide.
plain := answer(open_plain, set())

default open_plain := false

open_plain if open(set())

default yes(_, _) := false

yes(allowed, fired) if {
	allowed == true
	open(fired)
}
