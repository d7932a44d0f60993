# Which room answers for which action of the audit service.
package letopis.audit

import data.letopis.audit.incident
import data.letopis.audit.subject
import data.letopis.gate
import rego.v1

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"

authorize := gate.plain if gate.room == "log"

authorize := gate.plain if gate.room == "evidence"

authorize := gate.plain if gate.room == "report"

authorize := gate.plain if gate.room == "schedule"

authorize := gate.plain if gate.room == "lineage"

authorize := gate.answer(incident.allow, incident.deny) if gate.room == "incident"

authorize := gate.answer(subject.allow, subject.deny) if gate.room == "subject"

authorize := gate.plain if gate.room == "replay"

authorize := gate.plain if gate.room == "claim"

authorize := gate.plain if gate.room == "history"

authorize := gate.plain if gate.room == "voice"

authorize := gate.plain if gate.room == "drill"
