"""Which addresses a feed may lead to: those of the public internet, and no other. Pure.

Python's `is_global` is not enough: it takes NAT64 and 6to4 addresses, which embed any IPv4 address, for
public ones. Sources: IANA's special-purpose address registries, RFC 6890, RFC 6052, RFC 3056.
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' own
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fec0::/10",  # site-local, once
    )
)
_NUMBERS = re.compile(r"[0-9a-fx.]{1,60}", re.IGNORECASE)
_OWN_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")


def forbidden(address: str) -> bool:
    """Tell whether an IP address is none of the public internet's; what is no address is forbidden."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id:
        return True
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return True
    return any(ip.version == network.version and ip in network for network in _REFUSED)


def forbidden_host(host: str) -> bool:
    """Tell whether a URL's host is forbidden as it is written: an address, or a name for this machine."""
    host = host.strip("[]").rstrip(".").lower()
    if ":" in host:
        return forbidden(host)
    if _NUMBERS.fullmatch(host):
        try:  # as the system would read `127.1` and `0x7f000001`
            return forbidden(socket.inet_ntoa(socket.inet_aton(host)))
        except OSError:
            return False
    return host.rpartition(".")[2] in _OWN_NAMES or host.endswith(".home.arpa")


def place(host: str, port: int) -> str:
    """Return `host:port` as an exception is written: lower case, IPv6 in brackets."""
    host = host.strip("[]").lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def place_of(url: str) -> str:
    """Return a URL's `host:port`. Raises ValueError for what has none."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no host")
    return place(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
