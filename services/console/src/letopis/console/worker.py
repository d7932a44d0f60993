"""What works beside the console's pages, listed by hand: read models of everybody's facts but single decisions."""

from letopis.common.process import Process
from letopis.common.projecting import View
from letopis.console.alert.views import AlertCards
from letopis.console.app import Directory, PolicyInForce, create_app
from letopis.console.chronicle.views import Chronicle
from letopis.console.deployment.views import Applications
from letopis.console.emergency.views import Emergencies
from letopis.console.promotion.views import PromotionCards
from letopis.console.settings import ConsoleSettings
from letopis.console.wall.views import ModelCards, VersionCards

VIEWS: tuple[type[View], ...] = (
    Directory,
    PolicyInForce,
    ModelCards,
    VersionCards,
    PromotionCards,
    Applications,
    AlertCards,
    Emergencies,
    Chronicle,
)

PROCESS = Process(
    name="console",
    settings=ConsoleSettings,
    create_app=create_app,
    owns=("console",),
    follows={
        "registry": "registry",
        "features": "features",
        "access": "features",
        "inference": "inference",
        "monitoring": "monitoring",
        "audit": "audit",
    },
    views=VIEWS,
)
