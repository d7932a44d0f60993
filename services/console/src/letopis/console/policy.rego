# Which room answers for which action of the console.
package letopis.console

import data.letopis.gate
import rego.v1

authorize := gate.plain if gate.room == "page"

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"

authorize := gate.plain if gate.room == "replay"
