"""The client finds the stack that came up last, from any folder, and another one by its data directory."""

from letopis.local.plan import Plan
from letopis.local.signpost import put_up
from letopis.sdk.places import find_places


def plan(data, base_port, **given):
    data.mkdir()
    return Plan(data=data, profile="demo", base_port=base_port, services=(), given=given, mlflow=False)


class TestPutUp:
    def test_the_client_finds_the_last_stack_or_the_named_one(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LETOPIS_CONFIG_DIR", str(tmp_path / "config"))
        for name in ("LETOPIS_DATA_DIR", "LETOPIS_REGISTRY_URL", "LETOPIS_OIDC_ISSUER"):
            monkeypatch.delenv(name, raising=False)
        put_up(plan(tmp_path / "one", 9100, issuer="https://login.bank.example"))
        put_up(plan(tmp_path / "two", 9200))
        assert find_places().of("registry") == "http://127.0.0.1:9201"
        assert find_places().of("issuer") == "http://127.0.0.1:9206"
        monkeypatch.setenv("LETOPIS_DATA_DIR", str(tmp_path / "one"))
        assert find_places().of("registry") == "http://127.0.0.1:9101"
        assert find_places().of("issuer") == "https://login.bank.example"
