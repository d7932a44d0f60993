# Online reads: for how long one answer holds, and which classes are never shown.
package letopis.features.online

import data.letopis.gate
import rego.v1

default allow := false

allow if gate.open(set())

reading if input.action == "features.online.read"

obligations contains {"type": "lease", "seconds": gate.terms.lease_seconds} if reading

obligations contains {"type": "mask", "classes": gate.terms.masked_classes} if reading
