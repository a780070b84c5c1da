"""Which hosts pictures may come from, and which addresses those names may stand for."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from bot.errors import SetupError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: The last label begins with a letter: what a resolver would read as a number (2130706433, 0x7f.1) is not a name.
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """One allowed place: a host, or all hosts below a suffix, with a scheme and a port."""

    scheme: str
    #: Lower case; for a suffix it begins with a dot.
    host: str
    port: int
    #: The operator spelled out a local place (an address, `localhost`, or plain http): its address may be private.
    local: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `cdn.example.org`, `*.example.org`, `https://host:8443` or `http://127.0.0.1:9000`.

        Raises `ValueError` with the reason.
        """
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
        if parts.scheme not in _PORTS:
            raise ValueError("only http and https are possible")
        if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("give a host only, without a path, query, or user name")
        suffix = host.startswith("*.")
        name = host[2:] if suffix else host
        literal = address_of(name)
        if literal is None and not _NAME.fullmatch(name):
            raise ValueError("that is not a host name")
        if suffix and (literal is not None or "." not in name):
            raise ValueError("a suffix needs a domain of at least two parts, like *.example.org")
        local = not suffix and (literal is not None or name == "localhost" or parts.scheme == "http")
        port = parts.port or _PORTS[parts.scheme]
        return cls(scheme=parts.scheme, host=f".{name}" if suffix else name, port=port, local=local)

    def matches(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether a place is this one (a suffix does not cover the bare domain)."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        return host.endswith(self.host) if self.host.startswith(".") else host == self.host


@dataclass(frozen=True, slots=True)
class HostList:
    """The allowed places."""

    entries: tuple[HostEntry, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read all entries. Raises `SetupError` naming every bad one."""
        entries, problems = [], []
        for text in texts:
            try:
                entries.append(HostEntry.parse(text.strip()))
            except ValueError as error:
                problems.append(f"MEDIA_HOSTS: entry {text!r}: {error}")
        if problems:
            raise SetupError(problems)
        return cls(tuple(entries))

    def allows(self, url: URL) -> bool:
        """Whether pictures may be fetched from there. Raises `ValueError` when the URL is not one."""
        if url.scheme not in _PORTS or url.raw_user is not None or url.raw_password is not None:
            return False
        host = (url.raw_host or "").lower()
        if address_of(host) is None and not _NAME.fullmatch(host):
            return False
        return any(entry.matches(url.scheme, host, url.port) for entry in self.entries)

    def may_be_private(self, host: str) -> bool:
        """Whether the operator spelled this host out as a local one."""
        return any(entry.local and entry.host == host.lower() for entry in self.entries)


def address_of(host: str) -> Address | None:
    """Return the address an IP literal stands for; None for anything else."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address lies on the public internet, looking through the ways to wrap an IPv4 one in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.teredo is not None or address.scope_id is not None:
            return False
        wrapped = address.ipv4_mapped or address.sixtofour
        if wrapped is None and address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
    return address.is_global and not address.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolves names and drops private addresses, so that nothing is connected to that was not checked."""

    def __init__(self, hosts: HostList, inner: AbstractResolver | None = None) -> None:
        self._hosts = hosts
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses that may be connected to. Raises `OSError` when none is left."""
        found = await self._inner.resolve(host, port, family)
        if self._hosts.may_be_private(host):
            return found
        public = [one for one in found if (address := address_of(one["host"])) is not None and is_public(address)]
        if not public:
            raise OSError(None, "the name leads to a private address")
        return public

    async def close(self) -> None:
        """Release the inner resolver."""
        await self._inner.close()
