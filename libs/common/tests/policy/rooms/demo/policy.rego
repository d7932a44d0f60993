# Which room answers for which action of the service.
package letopis.demo

import data.letopis.demo.parcel
import data.letopis.gate
import rego.v1

authorize := gate.answer_with(parcel.allow, parcel.deny, parcel.obligations) if gate.room == "parcel"

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"
