"""Network addresses in their one normal form.

The same machine is written in many ways by what stands between: ``198.51.100.7``, ``::ffff:198.51.100.7`` (a server that
listens for both kinds), ``64:ff9b::c633:6407`` (a translator), ``198.51.100.7:4711``, ``[2001:db8::7]:4711`` (proxies that
add the port). Whatever compares, counts or keeps addresses asks here first.
"""

from __future__ import annotations

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The IPv6 networks whose last 32 bits are an IPv4 address: mapped (RFC 4291), translated (RFC 2765), and NAT64's (RFC 6052).
_CARRIERS = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_PORT = re.compile(r":[0-9]{1,5}\Z")
#: More than the longest spelling of an address with a zone and a port has.
_LONGEST = 100


def read(text: str | None) -> Address | None:
    """Return the address that a text names, in its normal form, or None if it names none.

    Brackets, a port and a zone are left out; what carries an IPv4 address is that address.
    """
    text = (text or "").strip().strip('"')
    if len(text) > _LONGEST:
        return None
    bracketed = _BRACKETED.fullmatch(text)
    # Without brackets a last group may be a port or part of the address: it is a port where the whole is no address.
    for spelling in (bracketed[1],) if bracketed else (text, _PORT.sub("", text)):
        try:
            return _normal(ipaddress.ip_address(spelling))
        except ValueError:
            continue
    return None


def normal(text: str | None) -> str | None:
    """Return an address as it is compared, counted and kept, or None if a text names none."""
    found = read(text)
    return None if found is None else str(found)


def network(text: str) -> Network:
    """Return a range of addresses in its normal form; a single address, however it is written, is a range too.

    :raises ValueError: it is none.
    """
    single = read(text)
    if single is not None:
        return ipaddress.ip_network(single)
    found = ipaddress.ip_network(text.strip(), strict=False)
    if found.version == 6 and any(found.subnet_of(carrier) for carrier in _CARRIERS):
        return ipaddress.ip_network(f"{_normal(found.network_address)}/{found.prefixlen - 96}")
    return found


def around(address: Address, v4: int = 24, v6: int = 64) -> Network:
    """Return the network that an address lies in: as it comes, one household or office, not one of its many addresses."""
    return ipaddress.ip_network(f"{address}/{v4 if address.version == 4 else v6}", strict=False)


def _normal(address: Address) -> Address:
    if address.version == 4:
        return address
    bits = int(address)
    if any(address in carrier for carrier in _CARRIERS):
        return ipaddress.IPv4Address(bits & 0xFFFFFFFF)
    return ipaddress.IPv6Address(bits)  # without its zone
