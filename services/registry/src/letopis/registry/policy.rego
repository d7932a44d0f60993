# Which room answers for which action of the registry.
package letopis.registry

import data.letopis.gate
import data.letopis.registry.evidence
import data.letopis.registry.ledger
import data.letopis.registry.parked
import data.letopis.registry.principal
import data.letopis.registry.production
import data.letopis.registry.promotion
import data.letopis.registry.session
import data.letopis.registry.use_case
import rego.v1

authorize := gate.plain if gate.room == "contract"

authorize := gate.answer(ledger.allow, ledger.deny) if gate.room == "ledger"

authorize := gate.plain if gate.room == "access_review"

authorize := gate.plain if gate.room == "model"

authorize := gate.plain if gate.room == "version"

authorize := gate.answer(evidence.allow, evidence.deny) if gate.room == "evidence"

authorize := gate.answer(principal.allow, principal.deny) if gate.room == "principal"

authorize := gate.answer(production.allow, production.deny) if gate.room == "production"

authorize := gate.answer_with(promotion.allow, promotion.deny, promotion.obligations) if gate.room == "promotion"

authorize := gate.answer(use_case.allow, use_case.deny) if gate.room == "use_case"

authorize := gate.answer(parked.allow, parked.deny) if gate.room == "parked"

authorize := gate.plain if gate.room == "replay"

authorize := gate.plain if gate.room == "reveal"

authorize := gate.answer_told(session.allow, session.deny, set(), session.details) if gate.room == "session"
