"""The embedded Valkey: one user, nothing dangerous."""

import pytest
import redis


@pytest.fixture
def client(valkey_server):
    with redis.Redis.from_url(valkey_server) as client:
        yield client


class TestUser:
    def test_keeps_values(self, client):
        client.hset("account:7", mapping={"balance": "12"})
        assert client.hgetall("account:7") == {b"balance": b"12"}
        assert client.info("persistence")["aof_enabled"] == 1

    def test_may_do_nothing_dangerous(self, client):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.flushall()
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.config_get("dir")

    def test_needs_the_password(self, valkey_server):
        anonymous = "redis://" + valkey_server.split("@")[1]
        with redis.Redis.from_url(anonymous) as stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()
