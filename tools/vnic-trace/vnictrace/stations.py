# SPDX-License-Identifier: GPL-2.0
"""What a station is called, and what happens there."""
import errno

from . import reasons

PLACES = {
    "ring": "the ring, until the program reads",
    "backlog": "the queue's backlog, for NAPI",
    "shared": "the memory that the program shares",
    "socket": "the queue's socket, until somebody reads",
    "rxq": "the ring of receive queue {queue}, for NAPI",
    "cell": "the cell of CPU {cpu}, for NAPI",
}
# Those between the stack and a program
WAITS = ("ring", "socket")
HOWS = {
    "one": "by itself",
    "list": "in a list with others",
    "gro": "by way of GRO",
    "frags": "in fragments, by way of GRO",
}
ACTS = {
    "aborted": "the program has failed",
    "drop": "drop it",
    "pass": "let it pass",
    "tx": "send it back where it came from",
    "redirect": "send it to another device",
}
BUSY = 16
EXPLAIN = {
    "syscall_enter": "The program asks the kernel to send. From here on the "
        "kernel works in the program's name, on its CPU time.",
    "syscall_exit": "The call is over, and the program goes on.",
    "vnic_enter": "A program hands a frame to the device through its file "
        "descriptor. The bytes are in the program's memory still.",
    "vnic_checked": "The bytes were copied once, into an sk_buff, and its "
        "headers are understood: from here on it is a packet.",
    "vnic_taken": "The bytes are copied into the program's memory. To the "
        "kernel the packet is over: the program is the wire.",
    "vnic_wake": "The program sleeps in read(), poll() or ioctl(). It is told "
        "that there is something to read.",
    "vnic_full": "There is no room to wait. It goes back to its qdisc if the "
        "device has back-pressure, and is dropped otherwise.",
    "vnic_polled": "NAPI, in a softirq, takes the packet from where it waits. "
        "It may do so for many at once: that is why it is quick.",
    "vnic_handover": "The sender's end has let the packet go, as a wire "
        "would: what belongs to the sender's namespace is scrubbed off.",
    "vnic_xdp": "An XDP program has looked at the packet before the stack "
        "has, and decides.",
    "net_dev_queue": "The protocols have made the packet and chosen the device "
        "by the route. It goes to the device's queueing discipline (qdisc).",
    "net_dev_start_xmit": "The core calls the driver's ndo_start_xmit(): the "
        "packet is the device's now.",
    "net_dev_xmit": "What the driver says of it. BUSY: the core keeps the "
        "packet and tries again; else its sender learns of the loss.",
    "netif_rx": "The packet is put into the backlog of this CPU and a softirq "
        "is asked for. Nobody goes on with it at once, so that stacks do not "
        "call each other without end.",
    "netif_receive_skb": "The stack has it: bridges, VLANs and packet sockets "
        "look first, then the protocol that its type names.",
    "napi_gro_receive_entry": "GRO keeps it for a moment: segments of one "
        "stream are merged into one large packet.",
    "napi_gro_frags_entry": "GRO keeps it for a moment: segments of one "
        "stream are merged into one large packet.",
    "consume_skb": "The last holder frees the packet. It was used: that is a "
        "good end.",
    "skb_copy_datagram_iovec": "The program's receive call copies the data "
        "out of the socket's queue.",
}
EXPLAIN_PLACE = {
    "ring": "It waits in the ring of the program's queue. The sender is done: "
        "whoever reads has the rest of the work.",
    "backlog": "It waits until NAPI polls this queue (IFF_NAPI).",
    "socket": "It waits in the receive queue of the socket that vhost-net, or a "
        "program, has of this queue.",
    "shared": "The program reads it there when it likes.",
    "rxq": "It waits in the ring of a receive queue, so that NAPI can take "
        "many at once, for GRO or XDP.",
    "cell": "It waits in a cell, one for each CPU, and a softirq is asked for. "
        "To deliver at once, in the sender's context, would deadlock.",
}


def error_words(ret):
    if ret >= 0:
        return f"returns {ret}"
    name = errno.errorcode.get(-ret, str(ret))
    return f"fails with {name}"


def fd_words(fields):
    fd = fields.get("fd")
    return f" on fd {fd}" if isinstance(fd, int) else ""


def syscall_words(hop):
    if hop.station == "syscall_enter":
        return f"calls {hop.fields['name']}(){fd_words(hop.fields)}"
    return f"{hop.fields['name']}() {error_words(hop.fields.get('ret', 0))}"


def waits(hop):
    place = hop.fields.get("place_name", "")
    words = PLACES.get(place, place).format(queue=hop.fields.get("queue", 0),
                                            cpu=hop.cpu)
    depth = hop.fields.get("depth", 0)
    return f"waits in {words}" + (f", behind {depth}" if depth else "")


def delivered(hop):
    how = hop.fields.get("how_name", "")
    if how == "nowhere":
        return "swallowed: the device has no other end"
    return f"given to the stack, {HOWS.get(how, how)}"


def received(hop):
    return "the stack has it"


WORDS = {
    "syscall_enter": syscall_words,
    "syscall_exit": syscall_words,
    "vnic_enter": lambda hop: f"{hop.fields.get('len', 0)} bytes handed over",
    "vnic_checked": lambda hop: "checked: a packet now",
    "vnic_taken": lambda hop: "the program has it",
    "vnic_wake": lambda hop: "wakes the reader",
    "vnic_queue": waits,
    "vnic_full": lambda hop: "no room in "
        + hop.fields.get("place_name", "its place"),
    "vnic_polled": lambda hop: "NAPI takes it from the "
        + hop.fields.get("place_name", "queue"),
    "vnic_handover": lambda hop: f"handed over to {hop.fields.get('peer')}",
    "vnic_xdp": lambda hop: "XDP: " + ACTS[hop.fields["act_name"]],
    "vnic_deliver": delivered,
    "net_dev_queue": lambda hop: f"sent to {hop.dev}: its qdisc",
    "net_dev_start_xmit": lambda hop: "the driver has it (ndo_start_xmit)",
    "net_dev_xmit": lambda hop: "the driver is busy: try again"
        if hop.fields.get("rc") == BUSY else "the driver tells of the loss",
    "netif_rx": lambda hop: f"waits in the backlog of CPU {hop.cpu}",
    "netif_receive_skb": received,
    "napi_gro_receive_entry": lambda hop: "given to GRO",
    "napi_gro_frags_entry": lambda hop: "given to GRO, in fragments",
    "consume_skb": lambda hop: f"{hop.comm} has read it: freed"
        if "read" in hop.fields else "done: freed",
    "skb_copy_datagram_iovec":
        lambda hop: f"copied to {hop.comm}",
}


def kfree(hop):
    if hop.bad:
        return "DROPPED: " + reasons.of_core(hop.reason)
    return "freed" + (f" ({hop.reason})" if hop.reason else "")


def words(hop):
    """A phrase of a few words."""
    if hop.station == "vnic_drop":
        counter = hop.fields.get("counter", "")
        return f"DROPPED: {reasons.of_counter(counter)} ({counter})"
    if hop.station == "kfree_skb":
        return kfree(hop)
    return WORDS[hop.station](hop)


def explain(hop):
    """A sentence or two for who sees it for the first time."""
    if hop.station == "vnic_queue":
        return EXPLAIN_PLACE.get(hop.fields.get("place_name"), "It waits.")
    if hop.station == "vnic_deliver":
        if hop.fields.get("how_name") == "nowhere":
            return "A vndummy has nobody at its other end: the packet is " \
                "counted and freed."
        return "The device gives the packet to the network stack of its " \
            "namespace, as if it had come over a wire."
    if hop.station == "vnic_drop":
        return "The driver loses the packet and says why: in a counter of " \
            "ethtool -S, and to whoever watches the kernel's drop reasons."
    if hop.station == "kfree_skb":
        if hop.bad:
            return "The packet is freed before it has arrived: a drop."
        return "The packet's memory is freed; what became of it was told " \
            "before."
    return EXPLAIN.get(hop.station, "")


def known():
    return set(WORDS) | {"vnic_drop", "kfree_skb"}
