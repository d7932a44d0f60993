"""The facts of monitoring that other services may rely on: monitors, outcomes, alerts."""

from letopis.monitoring.alert.events import FACTS as ALERT
from letopis.monitoring.alert.events import AlertAcknowledged, AlertContinued, AlertOpened, AlertResolved
from letopis.monitoring.monitor.events import FACTS as MONITOR
from letopis.monitoring.monitor.events import (
    MonitorDefined,
    MonitorRetired,
    Thresholds,
    ThresholdsChanged,
    WatchedFeature,
)
from letopis.monitoring.outcome.events import FACTS as OUTCOME
from letopis.monitoring.outcome.events import Outcome, OutcomesRecorded

CONTRACT = MONITOR | OUTCOME | ALERT
# All that the service's ledgers publish.
PUBLISHED = {"monitoring": CONTRACT}

__all__ = [
    "ALERT",
    "CONTRACT",
    "MONITOR",
    "OUTCOME",
    "PUBLISHED",
    "AlertAcknowledged",
    "AlertContinued",
    "AlertOpened",
    "AlertResolved",
    "MonitorDefined",
    "MonitorRetired",
    "Outcome",
    "OutcomesRecorded",
    "Thresholds",
    "ThresholdsChanged",
    "WatchedFeature",
]
