"""Facts of real services, of the size they have in use, as final bytes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from letopis.common.envelope import Actor, Authorization, Meta, NewFact, encode_meta
from letopis.common.handling import new_fact
from letopis.common.ids import salt, uuid7
from letopis.common.testing.sealing import sealer
from letopis.inference.contract import DECISIONS
from letopis.inference.decision.events import DecisionMade
from letopis.registry.promotion.events import FACTS, PromotionRequested

DIGEST = "9f3c" * 16
META = encode_meta(
    Meta(
        actor=Actor(person="p-anna", login="anna", service="", issuer="http://127.0.0.1:8406"),
        purpose="credit decisions",
        correlation_id=str(uuid7()),
        authorization=Authorization(
            authorization_id=str(uuid7()),
            action="registry.promotion.request",
            revision=DIGEST,
            input={"subject": {"person": "p-anna", "roles": ["data_scientist"]}, "object": {"type": "promotion"}},
            result={"allow": True, "deny": [], "revision": DIGEST},
        ),
    )
)
LEASED = encode_meta(
    Meta(
        actor=Actor(person="", login="bank-app", service="bank-app", issuer="http://127.0.0.1:8406"),
        purpose="credit decisions",
        authorization=Authorization(
            authorization_id="", action="", revision="", input={}, result={}, lease=str(uuid7())
        ),
    )
)
SEALER = sealer("decisions")
_REQUESTED = new_fact(
    FACTS,
    PromotionRequested(
        promotion_id="credit-default.3.production",
        version_id="credit-default.3",
        model_id="credit-default",
        version_digest=DIGEST,
        environment_digest=DIGEST,
        evidence={"validation_report": DIGEST, "model_card": DIGEST},
        policy_revision=DIGEST,
        stage="production",
        tier=2,
        approvals_needed=1,
        author="p-anna",
        requester="p-anna",
        comment="April's data, the September recoding handled",
    ),
    META,
)


def promotion() -> NewFact:
    """A requested promotion under a fresh event id."""
    return _fresh(_REQUESTED)


def decisions(count: int) -> list[NewFact]:
    """Decisions over 23 inputs, as scoring records them."""
    return [
        new_fact(
            DECISIONS,
            DecisionMade(
                application="credit",
                api_version="v1",
                model_id="credit-default",
                version_id="credit-default.3",
                version_digest=DIGEST,
                consumer="bank-app",
                entity="account_id",
                entity_id=str(number),
                inputs={f"feature_{place}": 1000.5 * number + place for place in range(23)},
                looked_up=(),
                score=number / count,
                cutoff=0.5,
                decision="refuse" if 2 * number >= count else "accept",
                reasons=None,
                decided_at=datetime.now(UTC),
                as_of=None,
                kind="single",
                job_id="",
                row=None,
            ),
            LEASED,
            SEALER,
        )
        for number in range(count)
    ]


def again(told: Sequence[NewFact]) -> list[NewFact]:
    """The same facts under fresh event ids."""
    return [_fresh(one) for one in told]


def _fresh(fact: NewFact) -> NewFact:
    return replace(fact, event_id=uuid7(), salt=salt())
