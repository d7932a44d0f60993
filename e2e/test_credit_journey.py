"""The credit journey on 2,000 real accounts: the code of `make demo`, with a look at what it left behind."""

from e2e.journey.modelling import MODEL


def door(world, after):
    """The next lines of the decisions' ledger at its owner's door."""
    path = f"/v1/ledgers/decisions/facts?after={after}&limit=5000"
    return world["irina"].send("GET", "inference", path).text.splitlines()


class TestJourney:
    def test_every_act_was_told_in_order(self, story, told):
        """From the first administrator to the verified pack."""
        who = [one for one, _ in told]
        assert who[0] == "Olga"
        assert who.index("Boris") < who.index("bank") < who.index("ALERT") < who.index("root") < who.index("pack")

    def test_the_self_approval_was_refused_and_another_person_signed(self, story, told):
        refused = next(what for who, what in told if who == "Anna" and "REFUSED" in what)
        assert "four_eyes.self_approval" in refused

    def test_every_decision_is_recorded_once(self, story, world):
        """As many decision facts as answers, in one ledger without gaps."""
        made, after = 0, 0
        while lines := door(world, after):
            made += sum('"type":"decisions.decision.made"' in line for line in lines)
            after += len(lines)
        assert made == story.decisions

    def test_each_step_of_a_promotion_has_its_actor_time_and_evidence(self, story, world):
        """B17: the state machine is visible: who, when, on what evidence, by which signature."""
        seen = world["irina"].get("registry", f"/v1/promotions?model_id={MODEL}")
        assert {one["version_id"] for one in seen} == set(story.versions)
        for one in seen:
            assert (one["state"], one["author"], one["requester"]) == ("completed", "anna", "anna")
            assert one["requested_at"] < one["decided_at"]
            assert len(one["evidence"]) == 6
            (vote,) = one["approvals"]
            assert (vote["person"], vote["verdict"]) == ("boris", "approve")
            assert vote["key_id"] == world["boris"].key_id
            assert one["requested_at"] < vote["at"]

    def test_files_and_single_requests_get_the_same_score_for_the_same_row(self, story, world):
        """C18: the same version in both modes, identical scores for the same inputs."""
        for account in (1, 2, 3):
            path = f"/v1/decisions?application=cards&entity_id={account}&limit=100"
            lines = world["irina"].get("inference", path, purpose="model_review")
            (single,) = [one for one in lines if not one["job_id"]]
            (batch,) = [one for one in lines if one["job_id"] and one["as_of"].startswith("2005-09")]
            told = [
                world["irina"].get("inference", f"/v1/decisions/{one['decision_id']}", purpose="model_review")["data"]
                for one in (single, batch)
            ]
            shown = [
                world["irina"].post("inference", f"/v1/decisions/{one['decision_id']}/reveals", purpose="model_review")
                for one in (single, batch)
            ]
            assert told[0]["inputs"] != told[1]["inputs"]
            assert {"age", "bill", "paid"} <= set(shown[0]["inputs"])
            assert shown[0]["inputs"] == shown[1]["inputs"]
            assert told[0]["version_id"] == told[1]["version_id"] == story.versions[0]
            assert told[0]["score"] == told[1]["score"]

    def test_the_recoding_of_september_raised_an_alert_in_its_first_bucket(self, story):
        assert story.alert["first_bucket"].startswith("2005-09")
        assert story.alert["feature"] == "status"
        assert story.alert["new_rows"] >= 1

    def test_rollback_took_less_than_a_minute(self, story):
        assert story.rollback_seconds < 60

    def test_the_unauthorised_read_was_denied_and_recorded(self, story):
        assert story.denied_at.startswith("access/")
