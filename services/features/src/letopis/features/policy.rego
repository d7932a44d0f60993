# Which room answers for which action of features.
package letopis.features

import data.letopis.features.grant
import data.letopis.features.online
import data.letopis.features.parked
import data.letopis.features.query
import data.letopis.features.source
import data.letopis.gate
import rego.v1

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"

authorize := gate.plain if gate.room == "entity"

authorize := gate.plain if gate.room == "view"

authorize := gate.plain if gate.room == "bundle"

authorize := gate.plain if gate.room == "dataset"

authorize := gate.plain if gate.room == "batch"

authorize := gate.answer(source.allow, source.deny) if gate.room == "source"

authorize := gate.answer(grant.allow, grant.deny) if gate.room == "grant"

authorize := gate.answer_told(query.allow, query.deny, query.obligations, query.details) if gate.room == "query"

authorize := gate.answer_with(online.allow, set(), online.obligations) if gate.room == "online"

authorize := gate.answer(parked.allow, parked.deny) if gate.room == "parked"

authorize := gate.plain if gate.room == "replay"
