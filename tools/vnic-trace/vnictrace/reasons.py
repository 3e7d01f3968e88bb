# SPDX-License-Identifier: GPL-2.0
"""Why a packet was lost, in words: our counters, and the core's reasons."""

# What follows "rx_drop_" or "tx_drop_" in ethtool -S.
COUNTERS = {
    "down": "the device, or its other end, is not up",
    "full": "the ring is full, for nobody empties it quickly enough",
    "backlog": "the other end's CPU has too many waiting already",
    "too_big": "it is longer than the MTU of who receives it",
    "short": "it is shorter than its headers",
    "long": "it is longer than any frame may be",
    "ucopy": "the sender's memory could not be copied",
    "fault": "the program's memory cannot be read or written",
    "nomem": "there was no memory for it",
    "protocol": "it is neither IPv4 nor IPv6",
    "vnet": "its virtio header makes no sense",
    "busy": "NAPI is behind",
    "xdp": "an XDP program has said so",
    "xdp_aborted": "an XDP program has failed",
    "xdp_error": "XDP could not send it where the program wanted",
    "no_queue": "no program is at the other end",
    "filter_mac": "the program's filter does not want this address",
    "filter_cbpf": "the program's socket filter does not want it",
    "filter_ebpf": "the program's eBPF filter does not want it",
    "purged": "the program went away before it had read it",
}
CORE = {
    "NOT_SPECIFIED": "the kernel gives no reason",
    "NO_SOCKET": "no socket wants it",
    "SOCKET_FILTER": "the socket's filter does not want it",
    "SOCKET_RCVBUFF": "the socket's receive buffer is full",
    "SOCKET_BACKLOG": "the socket's backlog is full",
    "PKT_TOO_SMALL": "it is shorter than its headers",
    "TCP_CSUM": "its TCP checksum is wrong",
    "UDP_CSUM": "its UDP checksum is wrong",
    "ICMP_CSUM": "its ICMP checksum is wrong",
    "IP_CSUM": "its IP checksum is wrong",
    "IP_INHDR": "its IP header makes no sense",
    "NETFILTER_DROP": "a firewall rule drops it",
    "OTHERHOST": "it is addressed to another machine's MAC address",
    "IP_RPFILTER": "its source is not where that address would be (rp_filter)",
    "IP_NOPROTO": "nobody knows its protocol",
    "IP_OUTNOROUTES": "there is no route to where it shall go",
    "IP_INNOROUTES": "there is no route for what has come in",
    "IP_LOCALNET": "its address is of the host alone (127.0.0.0/8)",
    "IP_INADDRERRORS": "its address is none that can be sent to",
    "INVALID_PROTO": "its protocol is none that fits",
    "UNHANDLED_PROTO": "no protocol of the kernel wants this kind of frame",
    "QDISC_DROP": "the queueing discipline drops it",
    "TC_EGRESS": "a traffic-control filter drops it on its way out",
    "TC_INGRESS": "a traffic-control filter drops it on its way in",
    "CPU_BACKLOG": "the CPU has too many waiting already",
    "XDP": "an XDP program has said so",
    "DEV_READY": "the device is not up",
    "FULL_RING": "the ring is full, for nobody empties it quickly enough",
    "NOMEM": "there was no memory for it",
    "HDR_TRUNC": "it is shorter than its headers",
    "PKT_TOO_BIG": "it is longer than the MTU",
    "NEIGH_FAILED": "nobody answers for its next hop's MAC address",
    "NEIGH_QUEUEFULL": "too many wait for its next hop's MAC address",
    "NEIGH_CREATEFAIL": "its next hop cannot be looked up",
    "NEIGH_DEAD": "its next hop is gone",
    "IPV6DISABLED": "IPv6 is switched off there",
    "IPV6_NDISC_BAD_OPTIONS": "it is a neighbour message with bad options",
    "BPF_CGROUP_EGRESS": "a BPF program of the sender's cgroup drops it",
    "TAP_FILTER": "the program's eBPF filter does not want it",
    "TAP_TXFILTER": "the program's filter does not want this address",
    "SKB_UCOPY_FAULT": "the sender's memory could not be copied",
    "DEV_HDR": "its header for the device makes no sense",
    "TCP_OLD_DATA": "it is data that has come before",
    "TCP_RESET": "the connection is being reset",
    "TCP_INVALID_SYN": "it is a SYN where none belongs",
    "BRIDGE_INGRESS_STP_STATE": "the bridge's port does not forward (yet)",
    "UNICAST_IN_L2_MULTICAST": "it is addressed to one, and came for many",
    "SOCKET_CLOSE": "the socket was closed with it unread",
}


def of_counter(counter):
    """"tx_drop_full" in words."""
    return COUNTERS.get(counter.partition("_drop_")[2],
                        f"it is counted as {counter}")


def of_core(name):
    if not name:
        return "the kernel gives no reason"
    return CORE.get(name, f"the kernel's reason is {name}")
