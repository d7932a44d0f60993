"""Every read model of every service is a keyed fold, also over histories that no life would make.

Incremental = rebuilt = applied twice, at random cuts and random interleavings of ledgers.
"""

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from letopis.audit.worker import PROCESS as AUDIT
from letopis.common.projecting.folding import ViewStuck
from letopis.common.testing.histories import history
from letopis.common.testing.views import check_view, content_of
from letopis.console.worker import PROCESS as CONSOLE
from letopis.features.worker import PROCESS as FEATURES
from letopis.inference.worker import PROCESS as INFERENCE
from letopis.monitoring.worker import PROCESS as MONITORING
from letopis.registry.worker import PROCESS as REGISTRY

VIEWS = {
    f"{process.name}.{view.name}": view
    for process in (REGISTRY, FEATURES, INFERENCE, MONITORING, AUDIT, CONSOLE)
    for view in process.views
}


@pytest.mark.parametrize("name", VIEWS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data(), seed=st.integers(0, 1000))
def test_is_a_fold(name, data, seed):
    """Folded at once, one by one, and in random batches of ledgers in any interleaving."""
    told = data.draw(history(VIEWS[name]))
    try:
        content_of(VIEWS[name], told)
    except ViewStuck:
        # What its decider never lets happen, a view need not take.
        reject()
    check_view(VIEWS[name], told, tries=3, seed=seed)
