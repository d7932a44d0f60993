# Which room answers for which action of the registry.
package letopis.registry

import data.letopis.gate
import data.letopis.registry.break_glass
import data.letopis.registry.delegation
import data.letopis.registry.evidence
import data.letopis.registry.group_role
import data.letopis.registry.ledger
import data.letopis.registry.notebook_key
import data.letopis.registry.parked
import data.letopis.registry.policy_release
import data.letopis.registry.principal
import data.letopis.registry.production
import data.letopis.registry.promotion
import data.letopis.registry.session
import data.letopis.registry.use_case
import rego.v1

authorize := gate.plain if gate.room == "contract"

authorize := gate.answer_told(break_glass.allow, break_glass.deny, set(), break_glass.details) if {
	gate.room == "break_glass"
}

authorize := gate.answer(ledger.allow, ledger.deny) if gate.room == "ledger"

authorize := gate.plain if gate.room == "access_review"

authorize := gate.plain if gate.room == "model"

authorize := gate.plain if gate.room == "version"

authorize := gate.answer(delegation.allow, delegation.deny) if gate.room == "delegation"

authorize := gate.answer(group_role.allow, group_role.deny) if gate.room == "group_role"

authorize := gate.answer(notebook_key.allow, notebook_key.deny) if gate.room == "notebook_key"

authorize := gate.answer(evidence.allow, evidence.deny) if gate.room == "evidence"

authorize := gate.answer(principal.allow, principal.deny) if gate.room == "principal"

authorize := gate.answer(production.allow, production.deny) if gate.room == "production"

authorize := gate.answer_told(promotion.allow, promotion.deny, promotion.obligations, promotion.details) if {
	gate.room == "promotion"
}

authorize := gate.answer(use_case.allow, use_case.deny) if gate.room == "use_case"

authorize := gate.answer(parked.allow, parked.deny) if gate.room == "parked"

authorize := gate.plain if gate.room == "replay"

authorize := gate.plain if gate.room == "reveal"

authorize := gate.answer_told(session.allow, session.deny, set(), session.details) if gate.room == "session"

authorize := gate.answer(policy_release.allow, policy_release.deny) if gate.room == "policy_release"
