"""Access tokens: what is accepted, and every way in which a token only looks like one."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, OKPKey

from letopis.common.identity import strict_json
from letopis.common.identity.claims import LATEST, TokenRefused, read
from letopis.common.identity.keys import ProviderAway
from letopis.common.identity.verifier import TokenVerifier, header_of

NOW = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())
ISSUER = "https://login.bank.example"


class TestAccept:
    async def test_reads_the_claims(self, provider, verifier):
        token = provider.sign(
            provider.claims(
                name="Anna", person="p-1", groups=["risk", "lab"], auth_time=NOW - 5, amr=["pwd", "mfa"], jti="x"
            )
        )
        claims = await verifier.verify(token)
        assert (claims.login, claims.name, claims.person) == ("anna", "Anna", "p-1")
        assert claims.groups == {"risk", "lab"}
        assert claims.mfa_at == datetime.fromtimestamp(NOW - 5, UTC)
        assert claims.service == ""

    async def test_a_list_of_audiences_may_hold_ours(self, provider, verifier):
        token = provider.sign(provider.claims(aud=["other", "letopis"]))
        assert (await verifier.verify(token)).login == "anna"

    @pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
    async def test_both_names_of_ed25519(self, provider, verifier, algorithm):
        assert await verifier.verify(provider.sign(alg=algorithm))

    async def test_keys_of_banks_providers(self, provider, verifier, ec_key, rsa_key):
        provider.keys |= {"ec": ec_key, "rsa": rsa_key}
        assert await verifier.verify(provider.sign(kid="ec", alg="ES256"))
        assert await verifier.verify(provider.sign(kid="rsa", alg="RS256"))

    async def test_a_verified_token_ends_with_its_time(self, provider, verifier, clock):
        token = provider.sign()
        assert await verifier.verify(token)
        clock.at += timedelta(seconds=901)
        with pytest.raises(TokenRefused, match="expired"):
            await verifier.verify(token)

    async def test_a_verified_token_ends_with_its_key(self, provider, verifier, clock):
        token = provider.sign()
        assert await verifier.verify(token)
        del provider.keys["one"]
        clock.at += timedelta(minutes=6)
        with pytest.raises(TokenRefused, match="does not publish"):
            await verifier.verify(token)


class TestRefuse:
    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"iss": "https://elsewhere.example"}, "another issuer"),
            ({"aud": "letopis-console"}, "not meant for"),
            ({"aud": None}, "not meant for"),
            ({"aud": 5}, "aud"),
            ({"exp": NOW}, "expired"),
            ({"exp": None}, "iat or exp"),
            ({"iat": None}, "iat or exp"),
            ({"exp": float(NOW + 900)}, "whole seconds"),
            ({"exp": str(NOW + 900)}, "whole seconds"),
            ({"exp": True}, "whole seconds"),
            ({"exp": LATEST + 1}, "whole seconds"),
            ({"exp": -1}, "whole seconds"),
            ({"exp": None, "iat": NOW}, "iat or exp"),
            ({"exp": NOW + 90_000}, "longer than a day"),
            ({"nbf": NOW + 60}, "not valid yet"),
            ({"iat": NOW + 60}, "not valid yet"),
            ({"sub": ""}, "lacks sub"),
            ({"sub": None}, "lacks sub"),
            ({"sub": ["anna"]}, "sub"),
            ({"sub": "anna\nboris"}, "sub"),
            ({"sub": "a" * 256}, "sub"),
            ({"groups": "risk"}, "groups"),
            ({"groups": ["risk", 1]}, "groups"),
            ({"mfa_at": "now"}, "mfa_at"),
            ({"service": {"name": "registry"}}, "service"),
        ],
    )
    async def test_a_claim_of_the_wrong_kind(self, provider, verifier, changed, reason):
        with pytest.raises(TokenRefused, match=reason):
            await verifier.verify(provider.sign(provider.claims(**changed)))

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ('"sub": "anna"', '"sub": "anna", "sub": "olga"', "twice"),
            (f'"exp": {NOW + 900}', '"exp": NaN', "NaN"),
            (f'"exp": {NOW + 900}', f'"exp": {"9" * 30}', "too long"),
            (f'"exp": {NOW + 900}', f'"exp": {NOW + 900}, "deep": {"[" * 2000 + "]" * 2000}', "deep"),
            (f'"exp": {NOW + 900}', f'"exp": {NOW + 900}, "deep": {"[" * 33 + "]" * 33}', "deep"),
            (f'"exp": {NOW + 900}', f'"exp": {NOW + 900}, "far": 1e999', "larger"),
            ('"anna"', '"\\ud800"', "surrogates"),
            ('{"iss"', '[{"iss"', "content"),
        ],
    )
    async def test_json_with_two_meanings(self, provider, verifier, payload, old, new, reason):
        with pytest.raises(TokenRefused, match=reason):
            await verifier.verify(provider.sign(payload(old, new)))

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ({"typ": "JWT"}, "access token"),
            ({"typ": None}, "access token"),
            ({"typ": ["at+jwt"]}, "access token"),
            ({"kid": None}, "name its key"),
            ({"crit": ["exp"], "exp": 1}, "brings its own key or asks"),
            ({"jwk": {"kty": "OKP"}}, "brings its own key"),
            ({"jku": "https://evil.example/jwks"}, "brings its own key"),
        ],
    )
    async def test_a_header_of_something_else(self, provider, verifier, header, reason):
        token = provider.sign(key=provider.keys["one"], **({"kid": "one"} | header))
        with pytest.raises(TokenRefused, match=reason):
            await verifier.verify(token)

    async def test_an_algorithm_that_is_not_the_keys(self, provider, verifier, rsa_key, ec_key):
        provider.keys |= {"rsa": rsa_key, "ec": ec_key}
        # The classic: the public key, which everybody has, as the secret of a MAC. The library will not even sign so.
        signed = provider.sign(kid="rsa", alg="HS256", key=OctKey.generate_key(256)).rpartition(".")[0]
        mac = hmac.digest(rsa_key.as_pem(private=False), signed.encode(), "sha256")
        for token in (
            f"{signed}.{urlsafe_b64encode(mac).decode().rstrip('=')}",
            provider.sign(kid="rsa", alg="PS256"),
            provider.sign(kid="ec", alg="Ed25519", key=provider.keys["one"]),
            provider.sign(kid="one", alg="none"),
        ):
            with pytest.raises(TokenRefused, match=r"algorithm|not a signed token"):
                await verifier.verify(token)

    async def test_a_signature_by_another_key(self, provider, verifier):
        with pytest.raises(TokenRefused, match="signature"):
            await verifier.verify(provider.sign(key=OKPKey.generate_key("Ed25519")))

    async def test_a_changed_byte(self, provider, verifier):
        header, body, signature = provider.sign().split(".")
        document = json.loads(urlsafe_b64decode(body + "==")) | {"sub": "olga"}
        forged = urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
        with pytest.raises(TokenRefused, match="signature"):
            await verifier.verify(f"{header}.{forged}.{signature}")

    async def test_more_than_eight_kilobytes(self, provider, verifier):
        with pytest.raises(TokenRefused, match="8 KB"):
            await verifier.verify(provider.sign(provider.claims(note="x" * 9000)))

    async def test_small_rsa_keys_and_ambiguous_key_sets_are_no_keys(self, provider, verifier):
        listed = provider.jwks()["keys"]
        provider.published = listed * 2
        with pytest.raises(ProviderAway):
            await verifier.verify(provider.sign())


class TestDelegated:
    ACT = {"aud": "letopis:features", "act": {"sub": "service:monitoring"}, "purpose": "audit", "exp": NOW + 300}

    async def test_a_delegated_token_is_for_its_callee(self, provider, http, clock):
        token = provider.sign(provider.claims(**self.ACT))
        claims = await TokenVerifier(ISSUER, http, clock, service="features").verify(token)
        assert (claims.act, claims.purpose) == ("service:monitoring", "audit")

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"aud": "letopis"}, "not meant for"),
            ({"aud": "letopis:registry"}, "not meant for"),
            ({"purpose": None}, "purpose"),
            ({"exp": NOW + 301}, "five minutes"),
            ({"service": "monitoring"}, "a person"),
            ({"act": "service:monitoring"}, "one actor"),
            ({"act": {"sub": "a", "act": {"sub": "b"}}}, "one actor"),
            ({"act": {}}, "one actor"),
            ({"act": None, "aud": "letopis:features"}, "not meant for"),
        ],
    )
    async def test_refuses_one_that_is_worth_more(self, provider, http, clock, changed, reason):
        token = provider.sign(provider.claims(**(self.ACT | changed)))
        with pytest.raises(TokenRefused, match=reason):
            await TokenVerifier(ISSUER, http, clock, service="features").verify(token)


class TestWrapped:
    """A token inside a token, and other shapes of JOSE."""

    async def test_a_nested_token_is_refused(self, provider, verifier):
        inner = provider.sign()
        with pytest.raises(TokenRefused, match="content"):
            await verifier.verify(provider.sign(inner.encode(), cty="JWT"))

    async def test_json_and_encrypted_serializations_are_refused(self, provider, verifier):
        header, body, signature = provider.sign().split(".")
        flat = json.dumps({"protected": header, "payload": body, "signature": signature})
        for text in (
            flat,
            f"{header}.{body}.{signature}.{body}.{signature}",
            f"{header}..{signature}",
            f" {header}.{body}.{signature}",
        ):
            with pytest.raises(TokenRefused, match="not a signed token"):
                await verifier.verify(text)


class TestKeys:
    async def test_a_new_key_is_found_by_one_more_question(self, provider, verifier, clock):
        assert await verifier.verify(provider.sign())
        provider.keys["two"] = OKPKey.generate_key("Ed25519")
        clock.at += timedelta(seconds=6)
        assert await verifier.verify(provider.sign(kid="two"))
        assert provider.fetches == 2

    async def test_invented_key_ids_do_not_make_a_question_each(self, provider, verifier):
        stranger = OKPKey.generate_key("Ed25519")
        for number in range(20):
            with pytest.raises(TokenRefused, match="does not publish"):
                await verifier.verify(provider.sign(kid=f"invented-{number}", key=stranger))
        assert provider.fetches == 1

    async def test_keys_outlive_their_provider_by_an_hour(self, provider, verifier, clock):
        token = provider.sign(provider.claims(exp=NOW + 7200))
        assert await verifier.verify(token)
        provider.down = True
        clock.at += timedelta(minutes=59)
        assert await verifier.verify(token)
        clock.at += timedelta(minutes=2)
        with pytest.raises(ProviderAway):
            await verifier.verify(token)
        provider.down = False
        clock.at += timedelta(seconds=10)
        assert await verifier.verify(token)

    async def test_discovery_must_name_the_issuer_we_asked(self, provider, verifier):
        provider.issuer = "https://elsewhere.example"
        with pytest.raises(ProviderAway):
            await verifier.verify(provider.sign())


def _refused_or_read(document):
    """Whatever a payload holds, the outcome is Claims or TokenRefused."""
    try:
        claims = read(document, issuer=ISSUER, audience="letopis", now=datetime.fromtimestamp(NOW, UTC))
    except TokenRefused:
        return None
    return claims


def deep_in_the_stack(frames, text):
    """Parse with so many frames below us."""
    return deep_in_the_stack(frames - 1, text) if frames else strict_json.parse(text.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "iss",
    "aud",
    "sub",
    "iat",
    "exp",
    "nbf",
    "groups",
    "name",
    "person",
    "service",
    "auth_time",
    "mfa_at",
    "amr",
    "jti",
]


class TestAnything:
    @given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
    def test_claims_of_any_shape_are_read_or_refused(self, changed):
        good = {"iss": ISSUER, "aud": "letopis", "sub": "anna", "iat": NOW, "exp": NOW + 900}
        claims = _refused_or_read(good | changed)
        if claims is not None:
            assert claims.login
            assert claims.issuer == ISSUER
            assert datetime.fromtimestamp(NOW, UTC) < claims.expires_at
            assert type(changed.get("exp", 1)) is int

    @given(st.integers(1, 40))
    def test_thirty_two_levels_are_read_and_more_are_not_wherever_we_stand(self, depth):
        text = '{"deep": ' + "[" * depth + "]" * depth + "}"
        outcomes = set()
        for standing in (0, 200):
            try:
                outcomes.add(str(deep_in_the_stack(standing, text)))
            except ValueError:
                outcomes.add("refused")
        assert len(outcomes) == 1
        assert ("refused" in outcomes) == (depth > 32)

    @given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,20}\.[A-Za-z0-9_-]{0,20}"))
    def test_text_of_any_shape_is_no_header(self, text):
        with pytest.raises(TokenRefused):
            header_of(text)

    @given(st.binary(max_size=80))
    def test_bytes_of_any_shape_are_no_header(self, data):
        with pytest.raises(TokenRefused):
            header_of(urlsafe_b64encode(data).decode().rstrip("=") + ".e30.AAAA")
