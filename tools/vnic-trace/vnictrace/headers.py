# SPDX-License-Identifier: GPL-2.0
"""What kind of packet it is, from its first bytes."""
import socket
import struct

ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
ETHERTYPES = {0x0800: "IPv4", 0x0806: "ARP", 0x86dd: "IPv6", 0x8100: "VLAN",
              0x88b5: "experimental frame"}
ICMP_WORDS = {0: "echo reply", 3: "unreachable", 5: "redirect",
              8: "echo request", 11: "time exceeded"}
ICMP6_WORDS = {1: "unreachable", 2: "too big", 3: "time exceeded",
               128: "echo request", 129: "echo reply",
               133: "router solicitation", 134: "router advertisement",
               135: "neighbour solicitation", 136: "neighbour advertisement",
               143: "multicast report"}
REPLIES = {(ICMP, 0): 8, (ICMP6, 129): 128}
ARP_WORDS = {1: "request", 2: "answer"}
EPHEMERAL = 32768


class Flow:
    """Protocol, ends, and what else tells packets apart."""

    def __init__(self, name, protocol=0, ends=("", ""), ports=(0, 0), extra="",
                 mark=0, kind=0):
        self.name = name
        self.protocol = protocol
        self.ends = tuple(ends)
        self.ports = tuple(ports)
        self.extra = extra
        self.mark = mark
        self.kind = kind

    def key(self):
        return (self.protocol, self.ends, self.ports, self.kind, self.mark)

    def answers(self, other):
        """True if this packet goes the other's way back."""
        if self.protocol != other.protocol or self.ends != other.ends[::-1] or \
                "" in self.ends:
            return False
        if self.protocol in (ICMP, ICMP6):
            return REPLIES.get((self.protocol, self.kind)) == other.kind and \
                self.mark == other.mark
        if self.name == "ARP":
            return (other.kind, self.kind) == (1, 2)
        return self.ports == other.ports[::-1]

    def matches(self, follow):
        """True if --follow asks for it: all, icmp, or (protocol, port)."""
        if follow == "all":
            return True
        if follow == "icmp":
            return self.protocol == ICMP or \
                (self.protocol == ICMP6 and self.kind in (1, 2, 3, 128, 129))
        return follow[0] == self.protocol and follow[1] in self.ports

    def end(self, side, stable):
        if not any(self.ports):
            return self.ends[side]
        port = self.ports[side]
        if stable and port >= EPHEMERAL:
            port = "*"
        if ":" in self.ends[side]:
            return f"[{self.ends[side]}]:{port}"
        return f"{self.ends[side]}:{port}"

    def words(self, stable=False):
        parts = [self.name, self.extra]
        if all(self.ends):
            parts.append(f"{self.end(0, stable)} -> {self.end(1, stable)}")
        if not stable and self.protocol in (ICMP, ICMP6) and self.mark:
            parts.append(f"seq {self.mark & 0xffff}")
        return " ".join(part for part in parts if part)

    def to_json(self):
        return {"name": self.name, "protocol": self.protocol,
                "ends": list(self.ends), "ports": list(self.ports),
                "extra": self.extra, "mark": self.mark, "kind": self.kind}


def from_words(fields):
    """The bytes that a probe has read: w0, w1 ... as they lay in memory."""
    out = b""
    while f"w{len(out) // 8}" in fields:
        out += struct.pack("=Q", fields[f"w{len(out) // 8}"] & (1 << 64) - 1)
    return out


def tcp_words(data):
    bits = data[13]
    names = [name for bit, name in ((2, "SYN"), (1, "FIN"), (4, "RST"),
                                    (8, "PSH"), (16, "ACK")) if bits & bit]
    return " ".join(names)


def transport(protocol, ends, data, extra=""):
    if protocol in (TCP, UDP) and len(data) >= 4:
        ports = struct.unpack_from(">HH", data)
        if protocol == UDP:
            return Flow("UDP", UDP, ends, ports)
        more = tcp_words(data) if len(data) >= 14 else ""
        mark = struct.unpack_from(">I", data, 4)[0] if len(data) >= 8 else 0
        return Flow("TCP", TCP, ends, ports, more, mark)
    if protocol in (ICMP, ICMP6) and len(data) >= 8:
        table = ICMP_WORDS if protocol == ICMP else ICMP6_WORDS
        name = "ICMP" if protocol == ICMP else "ICMPv6"
        echo = table.get(data[0], "").startswith("echo")
        mark = struct.unpack_from(">I", data, 4)[0] if echo else 0
        return Flow(name, protocol, ends, (0, 0),
                    table.get(data[0], f"type {data[0]}"), mark, data[0])
    return Flow(extra or "IP", protocol, ends, (0, 0), f"protocol {protocol}")


def inet4(data):
    return socket.inet_ntop(socket.AF_INET, data)


def inet6(data):
    return socket.inet_ntop(socket.AF_INET6, data)


def ipv4(data):
    if len(data) < 20 or data[0] >> 4 != 4 or (data[0] & 15) < 5:
        return None
    ends = [inet4(data[12:16]),
            inet4(data[16:20])]
    if struct.unpack_from(">H", data, 6)[0] & 0x1fff:
        return Flow("IPv4", data[9], ends, (0, 0), "fragment",
                    struct.unpack_from(">H", data, 4)[0])
    return transport(data[9], ends, data[(data[0] & 15) * 4:], "IPv4")


def ipv6(data):
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    ends = [inet6(data[8:24]),
            inet6(data[24:40])]
    rest, protocol = data[40:], data[6]
    # Multicast reports have a hop-by-hop header in front.
    if protocol == 0 and len(rest) >= 8:
        protocol, rest = rest[0], rest[8 + 8 * rest[1]:]
    return transport(protocol, ends, rest, "IPv6")


def arp(data):
    if len(data) < 28 or data[4:6] != b"\x06\x04":
        return Flow("ARP")
    kind = struct.unpack_from(">H", data, 6)[0]
    ends = [inet4(data[14:18]),
            inet4(data[24:28])]
    return Flow("ARP", 0, ends, (0, 0), ARP_WORDS.get(kind, ""), 0, kind)


def of_network(ethertype, data):
    if ethertype == 0x0800:
        return ipv4(data)
    if ethertype == 0x86dd:
        return ipv6(data)
    return arp(data) if ethertype == 0x0806 else None


def of_frame(data):
    if len(data) < 14:
        return None
    ethertype, at = struct.unpack_from(">H", data, 12)[0], 14
    if ethertype in (0x8100, 0x88a8) and len(data) >= 18:
        ethertype, at = struct.unpack_from(">H", data, 16)[0], 18
    return of_network(ethertype, data[at:])


def parse(data, protocol, offset):
    """Flow of a packet; PROTOCOL and OFFSET of its network header as the event
    tells them, or None."""
    if offset is not None and protocol:
        return of_network(protocol, data[offset:])
    if protocol == 0x0806:
        return arp(data)
    return ipv4(data) or ipv6(data) or of_frame(data)


def by_number(protocol):
    """The little that is known without its bytes."""
    if not protocol:
        return None
    return Flow(ETHERTYPES.get(protocol, f"protocol 0x{protocol:04x}"))
