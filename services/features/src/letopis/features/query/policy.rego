# Which columns of which sources may be read, for which purpose, under which grants, and how each is shown.
package letopis.features.query

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

reads := {"features.query.run", "features.query.dataset", "features.query.batch", "features.query.download"}

columns := input.object.attributes.columns

name(column) := sprintf("%s.%s", [column.source, column.column])

deny contains "source.production_zone" if {
	input.action in reads
	not copies_only
}

copies_only if {
	every zone in input.object.attributes.zones {
		zone in {"etl_copy", "test", "manual", "external"}
	}
}

deny contains "column.unclassified" if {
	input.action in reads
	not all_classified
}

all_classified if {
	every column in columns {
		classified(column)
	}
}

classified(column) if column.class in gate.terms.open_classes

classified(column) if column.class in gate.terms.granted_classes

# Grants in force: not revoked, not over, for this purpose, to this person or a group of theirs.
live contains grant if {
	some grant in input.facts.grants
	grant.revoked == false
	grant.purpose == input.purpose
	grant.grantee in holders
	is_string(grant.not_after)
	grant.not_after > input.context.time # of one shape by schema, so their order is that of time
}

# The person, or the login of a service, which has none.
holders contains input.facts.holder

holders contains sprintf("group:%s", [group]) if some group in input.subject.groups

granted(column) if {
	some grant in live
	name(column) in grant.columns
}

deny contains "grant.missing" if {
	input.action in reads
	not all_granted
}

all_granted if {
	every column in columns {
		needs_no_grant(column)
	}
}

needs_no_grant(column) if column.class in gate.terms.open_classes

# Said by the rule below, in words of its own.
needs_no_grant(column) if column.class == "personal"

needs_no_grant(column) if granted(column)

deny contains "personal.no_grant" if {
	input.action in reads
	not all_personal_granted
}

all_personal_granted if {
	every column in columns {
		not_personal_or_granted(column)
	}
}

not_personal_or_granted(column) if column.class != "personal"

not_personal_or_granted(column) if granted(column)

deny contains "personal.unmask_not_granted" if {
	input.action in reads
	not all_lifted
}

all_lifted if {
	every column in columns {
		masked_or_lifted(column)
	}
}

masked_or_lifted(column) if column.unmask == false

masked_or_lifted(column) if {
	# Clear personal data is looked at, never stored.
	input.action == "features.query.run"
	some grant in live
	grant.unmask == true
	name(column) in grant.columns
}

deny contains "dataset.other_purpose" if {
	input.action == "features.query.download"
	not same_purpose
}

same_purpose if input.object.attributes.purpose == input.purpose

# What a scan costs its source; a person who looks waits for it themselves, a timetable does not.
deny contains "cost.scheduled" if {
	input.action == "features.query.run"
	not affordable
}

affordable if input.object.attributes.scheduled == false

affordable if {
	every scan in input.facts.scans {
		is_number(scan.rows)
		scan.rows <= bearable(scan.source)
	}
}

bearable(source) := object.get(gate.terms.scheduled_rows_of, source, gate.terms.scheduled_rows)

details["cost.scheduled"] := concat("; ", {told |
	some scan in input.facts.scans
	scan.rows > bearable(scan.source)
	told := sprintf("%s holds %v rows, a timetable may read %v", [scan.source, scan.rows, bearable(scan.source)])
})

obligations contains {
	"type": "column",
	"source": column.source,
	"column": column.column,
	"treatment": treatment(column),
} if {
	input.action in reads
	some column in columns
}

# Of some sources a person sees the rows of their own groups alone: whose value is the name of one, after a prefix.
obligations contains {"type": "rows", "source": source, "where": where} if {
	input.action in reads
	some source in touched
	where := own_rows(gate.terms.rows_of_groups[source])
}

# A count of rows reads no column, but it reads the source.
touched := {column.source | some column in columns} | {scan.source | some scan in input.facts.scans}

own_rows(told) := {"op": "in", "column": told.column, "values": sort({trim_prefix(group, told.prefix) |
	some group in input.subject.groups
	is_string(group)
	startswith(group, told.prefix)
})}

treatment(column) := "clear" if {
	column.class in {"public", "internal", "confidential"}
} else := "clear" if {
	column.class == "personal"
	column.unmask == true
} else := object.get(gate.terms.masks, column.kind, "token") if {
	column.class == "personal"
} else := "deny"
