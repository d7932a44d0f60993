"""Addresses that users give us: only listed schemes and hosts, resolved once, no redirects, nothing private unasked.

`Outside` is an httpx transport: it connects to the very address that was judged, so that a name cannot point elsewhere
between the check and the connection (DNS rebinding), while TLS still asks for the name.
"""

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import anyio.to_thread
import httpx

from letopis.common.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(Invalid):
    """We do not go where this address points."""

    code = "url.refused"
    title = "This address is not one that may be called from here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Hosts by exact name, or a whole domain by a leading dot; networks that are allowed although not public."""

    schemes: frozenset[str] = frozenset({"https"})
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def judge(self, url: httpx.URL) -> None:
        """AddressRefused unless scheme and host are listed and nobody hides a name before the host."""
        if url.scheme not in self.schemes:
            raise AddressRefused(f"{url.scheme or 'no'} scheme: one of {', '.join(sorted(self.schemes))} is asked for")
        if url.userinfo:
            raise AddressRefused("an address holds no name and no password")
        host = url.host.lower().rstrip(".")
        if not any(host == one or (one.startswith(".") and host.endswith(one)) for one in self.hosts):
            raise AddressRefused(f"host {host!r} is not listed")

    def judge_address(self, text: str) -> Address:
        """The address if it may be connected to."""
        address = ip_address(text)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        listed = any(address.version == one.version and address in one for one in self.networks)
        if not listed and (not address.is_global or address.is_multicast):
            raise AddressRefused(f"{address} is no public address, and its network is not listed")
        return address


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine finds them."""
    found = await anyio.to_thread.run_sync(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(slots=True)
class Outside(httpx.AsyncBaseTransport):
    """Requests to addresses of users; a redirect comes back as the answer that it is."""

    allowed: Allowed
    resolve: Resolve = resolve
    inner: httpx.AsyncBaseTransport = field(default_factory=lambda: httpx.AsyncHTTPTransport(trust_env=False))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.allowed.judge(request.url)
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            found = await self.resolve(request.url.host, port)
        except OSError as error:
            raise httpx.ConnectError(f"{request.url.host} is not known") from error
        # One address of several that is not allowed is enough: which one would be used is not ours to say.
        addresses = [self.allowed.judge_address(one) for one in found]
        if not addresses:
            raise httpx.ConnectError(f"{request.url.host} has no address")
        name = request.url.host
        request.headers["Host"] = request.url.netloc.decode("ascii")
        request.extensions = {**request.extensions, "sni_hostname": name}
        request.url = request.url.copy_with(host=str(addresses[0]))
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()
