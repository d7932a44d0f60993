"""Jobs on the whole stack: from a fact to the queue, to the worker's process, to a fact of its own."""

from e2e.stacks import until


class TestVerification:
    def test_every_training_set_of_the_journey_was_verified_after_it_was_built(self, story, world):
        """The reaction, the queue, the job, its fact and the read model of it; nobody asked for it."""

        def sets():
            return world["irina"].get("features", "/v1/datasets")

        until("a verification of each", lambda: all(one["verified_at"] for one in sets()))
        assert sets()
        assert all(one["intact"] for one in sets())
