"""Addresses that users give: what is not listed, private, or changes its mind is not called."""

from ipaddress import ip_network

import httpx
import pytest

from letopis.common.http.outside import AddressRefused, Allowed, Outside

ALLOWED = Allowed(hosts=frozenset({"mlflow.bank.example", ".partners.example"}))


@pytest.mark.parametrize(
    "url",
    [
        "http://mlflow.bank.example/",
        "file:///etc/passwd",
        "ftp://mlflow.bank.example/",
        "https://elsewhere.example/",
        "https://mlflow.bank.example.evil.example/",
        "https://evilpartners.example/",
        "https://mlflow.bank.example@elsewhere.example/",
        "https://name:word@mlflow.bank.example/",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_what_is_not_listed_is_refused(url):
    with pytest.raises(AddressRefused):
        ALLOWED.judge(httpx.URL(url))


@pytest.mark.parametrize(
    "url", ["https://mlflow.bank.example:8443/x", "https://MLflow.Bank.Example./", "https://one.partners.example/"]
)
def test_what_is_listed_passes(url):
    ALLOWED.judge(httpx.URL(url))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "ff02::1",
    ],
)
def test_what_is_not_public_is_refused_unless_its_network_is_listed(address):
    with pytest.raises(AddressRefused):
        ALLOWED.judge_address(address)


def test_a_listed_network_is_allowed_and_no_other():
    allowed = Allowed(networks=(ip_network("10.1.0.0/16"),))
    assert str(allowed.judge_address("10.1.2.3")) == str(allowed.judge_address("::ffff:10.1.2.3")) == "10.1.2.3"
    with pytest.raises(AddressRefused):
        allowed.judge_address("10.2.0.1")
    assert str(allowed.judge_address("93.184.215.14")) == "93.184.215.14"


class Wire(httpx.AsyncBaseTransport):
    """Keeps what would have gone out."""

    def __init__(self):
        self.sent = []

    async def handle_async_request(self, request):
        self.sent.append((str(request.url), request.headers["host"], request.extensions["sni_hostname"]))
        return httpx.Response(302, headers={"location": "http://169.254.169.254/"})


def outside(wire, *addresses):
    async def resolve(_host, _port):
        return addresses

    return httpx.AsyncClient(transport=Outside(ALLOWED, resolve, wire))


async def test_goes_to_the_address_that_was_judged_and_follows_no_redirect():
    wire = Wire()
    async with outside(wire, "93.184.215.14", "2606:2800:21f:cb07::1") as http:
        answer = await http.get("https://mlflow.bank.example:8443/api?x=1")
    assert answer.status_code == 302
    assert wire.sent == [
        ("https://93.184.215.14:8443/api?x=1", "mlflow.bank.example:8443", "mlflow.bank.example"),
    ]


async def test_one_private_address_among_several_is_enough_to_stay():
    wire = Wire()
    async with outside(wire, "93.184.215.14", "127.0.0.1") as http:
        with pytest.raises(AddressRefused):
            await http.get("https://mlflow.bank.example/")
    assert wire.sent == []


async def test_a_redirect_that_is_followed_by_hand_is_judged_as_well():
    wire = Wire()
    async with outside(wire, "93.184.215.14") as http:
        with pytest.raises(AddressRefused):
            await http.get("https://mlflow.bank.example/", follow_redirects=True)
    assert len(wire.sent) == 1


async def test_a_name_without_an_address_is_a_connection_that_failed():
    async with outside(Wire()) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("https://mlflow.bank.example/")
