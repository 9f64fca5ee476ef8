"""Which internet addresses are public: an allow-list by IANA's registries, not by a version of Python.

Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) and the IPv6 Address Space
(RFC 4291), https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Not globally reachable, or multicast. 192.0.0.0/24 as a whole: clouds keep their metadata there.
_RESERVED_IPV4 = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
]
# Of what is handed out to the world: for protocols (Teredo, benchmarks, ORCHID), for documents, and 6to4.
_RESERVED_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]

_NOT_PUBLIC_4 = [IPv4Network(network) for network in _RESERVED_IPV4]
_NOT_PUBLIC_6 = [IPv6Network(network) for network in _RESERVED_IPV6]
_HANDED_OUT = IPv6Network("2000::/3")
# An IPv4 address in the last 32 bits: mapped (RFC 4291), and as a network of IPv6 reaches it (RFC 6052).
_CARRIERS = [IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")]
# The third quarter of an ISATAP address (RFC 5214), but for the bits for a unique one and for a group.
_ISATAP, _ISATAP_MASK = 0x00005EFE, 0xFCFFFFFF


def is_public(address: str) -> bool:
    """Whether an address, and any IPv4 address that it carries, belongs to the public internet.

    Raises:
        ValueError: it is no address.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    if any(ip in network for network in _CARRIERS):
        return is_public(_last(ip))
    if ip not in _HANDED_OUT or any(ip in network for network in _NOT_PUBLIC_6):
        return False
    return (int(ip) >> 32) & _ISATAP_MASK != _ISATAP or is_public(_last(ip))


def _last(ip: IPv6Address) -> str:
    """The IPv4 address in the last 32 bits."""
    return str(IPv4Address(int(ip) & 0xFFFFFFFF))
