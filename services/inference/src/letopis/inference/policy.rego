# Which room answers for which action of the service.
package letopis.inference

import data.letopis.gate
import data.letopis.inference.deployment
import data.letopis.inference.job
import data.letopis.inference.parked
import data.letopis.inference.scoring
import rego.v1

authorize := gate.answer(deployment.allow, deployment.deny) if gate.room == "deployment"

authorize := gate.answer(scoring.allow, scoring.deny) if gate.room == "scoring"

authorize := gate.answer(job.allow, job.deny) if gate.room == "job"

authorize := gate.plain if gate.room == "decision" # roles alone decide

authorize := gate.plain if gate.room == "reveal"

authorize := gate.plain if gate.room == "rescoring"

authorize := gate.plain if gate.room == "contract"

authorize := gate.plain if gate.room == "ledger"

authorize := gate.answer(parked.allow, parked.deny) if gate.room == "parked"

authorize := gate.plain if gate.room == "replay"
