# SPDX-License-Identifier: GPL-2.0
"""The first bytes of a packet, which no tracepoint tells.

An event probe hangs on a tracepoint and reads through its skbaddr: for that it has
to know where sk_buff keeps "data", which the kernel's BTF says.
"""
import struct

from . import Failure

BTF = "/sys/kernel/btf/vmlinux"
STRUCT = 4
WORDS = 7
# Where packets are seen first, or again: event, and what skb->data points to.
PLACES = {
    "start": "net/net_dev_start_xmit",
    "receive": "net/netif_receive_skb",
    "checked": "vnic/vnic_checked",
}


def strings(data, start, size):
    def name(offset):
        if offset >= size:
            return ""
        end = data.index(b"\0", start + offset)
        return data[start + offset:end].decode(errors="replace")
    return name


def struct_at(data, at, end, name):
    """The members of the struct whose record this would be, by name."""
    info, = struct.unpack_from("=I", data, at + 4)
    count = info & 0xffff
    if (info >> 24) & 0x1f != STRUCT or at + 12 + 12 * count > end:
        return {}
    members = {}
    for i in range(count):
        label, _, bits = struct.unpack_from("=III", data, at + 12 + 12 * i)
        # With bit fields the upper byte is their size.
        members[name(label)] = (bits & 0xffffff if info >> 31 else bits) // 8
    return members


def offset_of(data, kind, *wanted):
    """Bytes from the start of struct KIND to each of its members WANTED."""
    try:
        magic, _, _, length, types, types_size, names, names_size = \
            struct.unpack_from("=HBBIIIII", data)
    except struct.error:
        raise Failure("this kernel's BTF is cut short") from None
    if magic != 0xeb9f:
        raise Failure("this kernel's BTF is no BTF")
    names += length
    types += length
    name = strings(data, names, names_size)
    label = data.find(b"\0" + kind.encode() + b"\0", names, names + names_size)
    if label >= 0:
        needle = struct.pack("=I", label + 1 - names)
        at = data.find(needle, types, types + types_size)
        while at >= 0:
            if (at - types) % 4 == 0:
                members = struct_at(data, at, types + types_size, name)
                if all(member in members for member in wanted):
                    return [members[member] for member in wanted]
            at = data.find(needle, at + 1, types + types_size)
    raise Failure(f"this kernel's BTF has no {kind} with {', '.join(wanted)}")


def definition(group, name, event, data, space):
    words = " ".join(f"w{i}=+{8 * i}(+{data}($skbaddr)):x64"
                     for i in range(WORDS))
    return f"e:{group}/{name} {event.replace('/', '.')} " \
        f"skbaddr=$skbaddr:x64 {words}{space}"


def namespace(content):
    """What reads skb->dev->nd_net->ns.inum, if this kernel has it so."""
    try:
        net, = offset_of(content, "net_device", "nd_net")
        ns, = offset_of(content, "net", "ns")
        inum, = offset_of(content, "ns_common", "inum")
    except Failure:
        return ""
    # The device is behind the two pointers of a list, on every kernel so far;
    # a number that is no namespace's is not believed.
    dev = 2 * struct.calcsize("P")
    return f" netns=+{ns + inum}(+{net}(+{dev}($skbaddr))):u32"


def definitions(group, have):
    """What to write into dynamic_events, for the events that are there."""
    try:
        with open(BTF, "rb") as file:
            content = file.read()
    except OSError:
        raise Failure("this kernel tells nothing of its types "
                      "(CONFIG_DEBUG_INFO_BTF)") from None
    data, = offset_of(content, "sk_buff", "data")
    space = namespace(content)
    return {name: definition(group, name, event, data, space)
            for name, event in PLACES.items() if have(event)}
