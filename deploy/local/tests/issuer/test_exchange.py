"""Token exchange: a service acts for a person towards one service, for one purpose, and lends nothing on."""

from datetime import timedelta

import pytest

from letopis.common.identity.claims import TokenRefused
from letopis.common.identity.verifier import TokenVerifier

URL = "http://127.0.0.1:8406"
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


async def exchanged(issuer, token, client="monitoring", **changed):
    form = {
        "grant_type": GRANT,
        "client_id": f"service:{client}",
        "client_secret": issuer.secret(client),
        "subject_token": token,
        "subject_token_type": ACCESS,
        "audience": "letopis:features",
        "purpose": "model_monitoring",
    }
    return await issuer.token(**{name: one for name, one in (form | changed).items() if one is not None})


def at(issuer, service):
    return TokenVerifier(URL, issuer.http, issuer.clock, service=service)


async def test_names_the_person_the_actor_and_the_purpose_and_only_the_callee_takes_it(issuer):
    token = (await issuer.demo("anna"))["access_token"]
    answer = (await exchanged(issuer, token)).json()
    assert (answer["issued_token_type"], answer["expires_in"]) == (ACCESS, 300)
    claims = await at(issuer, "features").verify(answer["access_token"])
    assert (claims.login, claims.act, claims.purpose, claims.service) == (
        "anna",
        "service:monitoring",
        "model_monitoring",
        "",
    )
    for other in (at(issuer, "registry"), issuer.verifier()):
        with pytest.raises(TokenRefused, match="not meant for"):
            await other.verify(answer["access_token"])


async def test_ends_with_the_persons_own_token(issuer):
    token = (await issuer.demo("anna"))["access_token"]
    issuer.clock.at += timedelta(minutes=13)
    answer = (await exchanged(issuer, token)).json()
    assert answer["expires_in"] == 120
    issuer.clock.at += timedelta(minutes=2)
    with pytest.raises(TokenRefused, match="expired"):
        await at(issuer, "features").verify(answer["access_token"])
    assert (await exchanged(issuer, token)).json()["error"] == "invalid_grant"


async def test_nothing_is_lent_on_and_no_program_has_a_name_to_lend(issuer):
    token = (await issuer.demo("anna"))["access_token"]
    lent = (await exchanged(issuer, token)).json()["access_token"]
    own = await issuer.token(
        grant_type="client_credentials", client_id="service:audit", client_secret=issuer.secret("audit")
    )
    app = await issuer.token(
        grant_type="client_credentials", client_id="bank-app", client_secret=issuer.secret("bank-app")
    )
    identity = (await issuer.demo("anna"))["id_token"]
    for bad in (lent, own.json()["access_token"], app.json()["access_token"], identity, "x.y.z"):
        assert (await exchanged(issuer, bad)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"audience": "letopis"}, "invalid_target"),
        ({"audience": "letopis:nobody"}, "invalid_target"),
        ({"purpose": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "letopis-cli", "client_secret": None}, "unauthorized_client"),
    ],
)
async def test_refuses(issuer, changed, error):
    token = (await issuer.demo("anna"))["access_token"]
    assert (await exchanged(issuer, token, **changed)).json()["error"] == error


async def test_an_application_of_the_bank_acts_for_nobody(issuer):
    token = (await issuer.demo("anna"))["access_token"]
    own = {"client_id": "bank-app", "client_secret": issuer.secret("bank-app")}
    assert (await exchanged(issuer, token, **own)).json()["error"] == "unauthorized_client"
