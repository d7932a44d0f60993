"""Work that outlasts a request: dramatiq actors on Valkey, registered by hand, idempotent, told ids only.

A job may run twice, even at the same time (a worker that seemed dead was not), so what it does MUST be harmless when
repeated: its commands take a command id derived from its arguments or from facts. Only reactions enqueue; dramatiq
runs jobs, it does not schedule.
"""

from letopis.common.jobs.broker import Broker, make_broker
from letopis.common.jobs.registered import Enqueue, Id, Job, JobError, Jobs
from letopis.common.jobs.working import WorkerLost, run, work

__all__ = ["Broker", "Enqueue", "Id", "Job", "JobError", "Jobs", "WorkerLost", "make_broker", "run", "work"]
