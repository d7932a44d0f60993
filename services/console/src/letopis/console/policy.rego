# Which room answers for which action of the console.
package letopis.console

import rego.v1
import future.keywords.not

import data.letopis.gate

authorize := gate.plain if gate.room == "page"

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"
