# How loose the thresholds of a monitor may be.
package letopis.monitoring.monitor

import data.letopis.gate

import future.keywords.not
import rego.v1

default allow := false

allow if gate.open(deny)

deny contains "thresholds.too_loose" if {
	input.action in {"monitoring.monitor.define", "monitoring.monitor.change"}
	not tight
}

tight if {
	input.facts.thresholds.major <= gate.terms.largest_major
	input.facts.thresholds.critical <= gate.terms.largest_critical
	input.facts.thresholds.coverage >= gate.terms.smallest_coverage
	input.facts.thresholds.false_alarms_per_year <= gate.terms.most_false_alarms_per_year
	quality_watched
}

# Quality is watched by a floor, or by a fall that is not larger than the bank bears. A threshold that is not set
# comes as the bound that nothing crosses: a floor of -1, a fall of 2.
quality_watched if input.facts.thresholds.gini_floor >= gate.terms.smallest_gini_floor

quality_watched if input.facts.thresholds.gini_fall <= gate.terms.largest_gini_fall
