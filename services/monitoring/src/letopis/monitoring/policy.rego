# Which room answers for which action of monitoring.
package letopis.monitoring

import data.letopis.gate
import data.letopis.monitoring.alert
import data.letopis.monitoring.monitor
import rego.v1

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"

authorize := gate.plain if gate.room == "profile"

authorize := gate.plain if gate.room == "outcome"

authorize := gate.answer(alert.allow, alert.deny) if gate.room == "alert"

authorize := gate.answer(monitor.allow, monitor.deny) if gate.room == "monitor"

authorize := gate.plain if gate.room == "replay"
