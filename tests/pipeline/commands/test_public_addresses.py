"""Public addresses, against the special ranges of IANA's registries."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.commands.public_addresses import is_public

# https://www.iana.org/assignments/iana-ipv4-special-registry: the blocks that are not reachable globally, or
# lie in one (192.0.0.0/24 whole), and multicast of https://www.iana.org/assignments/multicast-addresses.
IPV4 = [
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32"),
    *("192.0.0.170/32", "192.0.0.171/32", "192.0.0.192/32", "192.0.2.0/24", "192.88.99.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    "255.255.255.255/32",
]
# https://www.iana.org/assignments/iana-ipv6-special-registry, and what iana-ipv6-address-space reserves.
IPV6 = [
    *("::1/128", "::/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
    *(
        "2001::/23",
        "2001::/32",
        "2001:1::1/128",
        "2001:2::/48",
        "2001:3::/32",
        "2001:10::/28",
        "2001:20::/28",
    ),
    *("2001:30::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10"),
    *("fec0::/10", "ff00::/8", "4000::/3", "8000::/3", "e000::/4"),
]
PUBLIC = [
    *("8.8.8.8", "93.184.215.14", "1.1.1.1", "192.0.1.1", "172.32.0.1", "100.128.0.1", "192.31.196.1"),
    *("192.52.193.1", "192.175.48.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1"),
    *("2620:4f:8000::1", "2001:200::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2a00::5efe:808:808"),
]


@pytest.mark.parametrize("block", [*IPV4, *IPV6])
def test_no_address_of_a_special_range_is_public(block: str) -> None:
    network = ip_network(block)
    middle = network[network.num_addresses // 2]
    assert [is_public(str(ip)) for ip in (network[0], middle, network[-1])] == [False] * 3


def test_addresses_of_the_world_are_public() -> None:
    assert [address for address in PUBLIC if not is_public(address)] == []


@given(st.sampled_from(IPV4).map(ip_network).flatmap(lambda n: st.integers(int(n[0]), int(n[-1]))))
def test_no_ipv6_address_hides_one_that_is_not_public(hidden: int) -> None:
    four = IPv4Address(hidden)
    carriers = [
        IPv6Address(hidden),
        IPv6Address(0xFFFF << 32 | hidden),
        IPv6Address(0xFFFF << 48 | hidden),
        IPv6Address((0x64FF9B << 96) | hidden),
        IPv6Address((0x64FF9B0001 << 80) | hidden),
        IPv6Address((0x2002 << 112) | hidden << 80 | 1),
        IPv6Address((0x20010000 << 96) | (hidden ^ 0xFFFFFFFF)),
        ip_address(f"2a00::5efe:{four}"),
        ip_address(f"2a00::200:5efe:{four}"),
    ]
    assert [str(ip) for ip in (four, *carriers) if is_public(str(ip))] == []
