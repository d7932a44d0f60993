"""Outside systems: what they may be called, what they may say, and that they are kept."""

import pytest

from letopis.local.issuer.clients import clients_of
from letopis.local.issuer.settings import IssuerSettings
from letopis.local.nats import subscribers
from letopis.local.nats.subscribers import SubscriberInvalid


class TestAdd:
    def test_is_remembered_with_all_that_it_follows(self, tmp_path):
        subscribers.add(tmp_path, "warehouse", ["registry"])
        subscribers.add(tmp_path, "siem", ["access"])
        subscribers.add(tmp_path, "warehouse", ["decisions", "registry"])
        found = {one.name: one.follows for one in subscribers.known(tmp_path)}
        assert found == {"warehouse": ("registry", "decisions"), "siem": ("access",)}

    def test_keeps_its_key(self, tmp_path):
        subscribers.add(tmp_path, "warehouse", ["registry"])
        before = subscribers.users(tmp_path)
        subscribers.add(tmp_path, "warehouse", ["registry"])
        assert subscribers.users(tmp_path) == before
        for secret in (tmp_path / "secrets").iterdir():
            assert secret.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("name", ["registry", "admin", "bank-app", "nats", "A", "a", "x*", "a.b", "a>", "../x", ""])
    def test_refuses_names_of_ours_and_names_that_are_subjects(self, tmp_path, name):
        with pytest.raises(SubscriberInvalid):
            subscribers.add(tmp_path, name, ["registry"])
        assert subscribers.known(tmp_path) == ()

    def test_refuses_ledgers_that_are_not(self, tmp_path):
        with pytest.raises(SubscriberInvalid, match=r"no ledger \*"):
            subscribers.add(tmp_path, "warehouse", ["*"])


class TestRights:
    def test_pulls_from_its_durable_and_publishes_no_news(self, tmp_path):
        subscribers.add(tmp_path, "warehouse", ["registry"])
        (user,) = subscribers.users(tmp_path)
        assert all(subject.startswith(("$JS.API.", "$JS.ACK.")) for subject in user.publish)
        named = [subject for subject in user.publish if "LEDGER_" in subject]
        assert all("LEDGER_registry" in subject for subject in named)
        assert not any("DELETE" in subject or "PURGE" in subject or "CREATE" in subject for subject in user.publish)
        assert user.subscribe == ("_INBOX_warehouse.>",)

    def test_is_a_client_of_the_issuer_as_soon_as_it_is_a_subscriber(self, tmp_path):
        clients = clients_of(IssuerSettings(data_dir=tmp_path))
        assert "warehouse" not in clients
        subscribers.add(tmp_path, "warehouse", ["registry"])
        assert clients["warehouse"].proves((tmp_path / "secrets" / "warehouse.client_secret").read_text())
        assert not clients["warehouse"].proves("")
        assert set(clients) >= {"warehouse", "letopis-cli", "service:registry"}
        assert len(clients) == len(set(clients))
