"""Which addresses an outgoing call may reach: the name is resolved once, checked, and then dialled.

A name that resolves to a public address for the check and to a private one for the connection
(DNS rebinding) gains nothing, because the connection goes to the very address that was checked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpcore
import httpx

from doorstep.settings import settings

_DEFAULT_PORTS = {"http": 80, "https": 443, "smtp": 587, "smtps": 465}
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(httpx.ConnectError):
    """The call would leave the list of allowed origins, or reach a private address."""


def origin(url: str) -> str:
    """Write the origin of a URL as `scheme://host:port`, lower case, the port always named."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def further_origins() -> frozenset[str]:
    """List the origins that the settings allow beside the adapters' own, private ones included."""
    return _origins(settings().allowed_origins)


@lru_cache(maxsize=8)
def _origins(listed: str) -> frozenset[str]:
    return frozenset(origin(one.strip()) for one in listed.split(",") if one.strip())


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Unwrap an IPv4 address that travels inside an IPv6 one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet."""
    plain = _plain(ip_address(address.partition("%")[0]))
    return plain.is_global and not plain.is_multicast


def check_url(url: str, own_origin: str) -> None:
    """Refuse a URL outside the adapter's own origin and the allowed ones, and plain HTTP.

    Raises: AddressRefused.
    """
    target, further = origin(url), further_origins()
    if target not in further and target != own_origin:
        raise AddressRefused(f"{target} is not an allowed origin.")
    if target not in further and not target.startswith("https://"):
        raise AddressRefused(f"{target} is not encrypted; only a named allowed origin may be.")


def may_be_private(host: str, port: int) -> bool:
    """Tell whether the settings name this host and port, wherever it lies."""
    return any(
        f"{scheme}://{host.lower()}:{port}" in further_origins() for scheme in _DEFAULT_PORTS
    )


async def addresses_of(host: str, port: int) -> list[str]:
    """Resolve a name and check every address that it has.

    Raises: AddressRefused; httpcore.ConnectError for a name that is none.
    """
    loop = asyncio.get_running_loop()
    try:
        entries = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as unknown:
        raise httpcore.ConnectError(f"{host} does not resolve: {unknown}") from unknown
    found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if not may_be_private(host, port) and not all(map(is_public, found)):
        raise AddressRefused(f"{host} resolves to an address that is not public.")
    return found


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check every address, and connect to the first one that answers.

        Raises: AddressRefused; httpcore.ConnectError, httpcore.ConnectTimeout.
        """
        try:
            async with asyncio.timeout(timeout):
                addresses = await addresses_of(host, port)
        except TimeoutError as late:
            raise httpcore.ConnectTimeout(f"{host} does not resolve in time.") from late
        failure: Exception = httpcore.ConnectError(f"{host} has no address.")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                failure = failed
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: nothing outside lives behind a local socket. Raises: AddressRefused."""
        raise AddressRefused("Outgoing calls do not use local sockets.")

    async def sleep(self, seconds: float) -> None:
        """Wait between connection attempts of the pool."""
        await self._network.sleep(seconds)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport on the guarded network; httpx itself offers no way to give one."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=50,
            max_keepalive_connections=20,
            keepalive_expiry=15,
            network_backend=GuardedNetwork(),
        )
