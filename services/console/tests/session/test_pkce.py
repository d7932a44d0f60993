"""PKCE by the example of RFC 7636, appendix B, and returns that stay on our page."""

from urllib.parse import parse_qs, urlsplit

import pytest

from letopis.console.session.pkce import attempt, authorize_address, challenge


class TestPkce:
    def test_published_vector(self):
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    def test_every_attempt_is_new(self):
        assert attempt("/").state != attempt("/").state

    @pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""])
    def test_returns_only_to_our_own_page(self, next):
        assert attempt(next).next == "/"

    def test_asks_with_s256(self):
        new = attempt("/models/credit")
        asked = parse_qs(
            urlsplit(
                authorize_address("http://issuer/authorize", "c", "http://page/auth/callback", new, factor=True)
            ).query
        )
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["code_challenge"] == [challenge(new.verifier)]
        assert asked["state"] == [new.state]
