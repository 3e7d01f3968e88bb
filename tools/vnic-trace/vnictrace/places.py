# SPDX-License-Identifier: GPL-2.0
"""Which line of which source tells a station: ours found, the core's named."""

# By where it waits
BY_PLACE = {
    ("vnic_queue", "ring"): ("__vnic_queue_put", "ring"),
    ("vnic_full", "ring"): ("__vnic_queue_put", "ring"),
    ("vnic_queue", "cell"): ("vnic_cell_add", "queue"),
    ("vnic_full", "cell"): ("vnic_cell_add", "full"),
    ("vnic_queue", "rxq"): ("vnic_rxq_put", "queue"),
    ("vnic_full", "rxq"): ("vnic_rxq_put", "full"),
    ("vnic_queue", "backlog"): ("vnic_napi_give", "queue"),
    ("vnic_full", "backlog"): ("vnic_napi_give", "full"),
    ("vnic_queue", "socket"): ("vnic_socket_append", "queue"),
    ("vnic_full", "socket"): ("vnic_socket_append", "full"),
    ("vnic_full", "shared"): ("vnic_shared_produce", "full"),
    ("vnic_polled", "backlog"): ("vnic_napi_poll", "polled"),
    ("vnic_polled", "rxq"): ("vnic_rxq_work", "polled"),
}
# Calls that BY_PLACE and the rest stand for as well: the same said elsewhere.
ALIKE = {("vnic_rxq_put_limited", "queue"), ("vnic_rxq_put_limited", "full"),
         ("vnic_lose_rx_list", "drop_list")}
CORE = {
    "net_dev_queue": ("__dev_queue_xmit", "net/core/dev.c"),
    "net_dev_start_xmit": ("xmit_one", "net/core/dev.c"),
    "net_dev_xmit": ("xmit_one", "net/core/dev.c"),
    "netif_rx": ("netif_rx_internal", "net/core/dev.c"),
    "netif_receive_skb": ("__netif_receive_skb_core", "net/core/dev.c"),
    "napi_gro_receive_entry": ("napi_gro_receive", "net/core/gro.c"),
    "napi_gro_frags_entry": ("napi_gro_frags", "net/core/gro.c"),
    "consume_skb": ("consume_skb", "net/core/skbuff.c"),
    "kfree_skb": ("kfree_skb_reason", "net/core/skbuff.c"),
    "skb_copy_datagram_iovec": ("skb_copy_datagram_iter",
                                "net/core/datagram.c"),
}
LINKS = ("vnveth", "vndummy")


def polled(hop, following):
    if hop.fields.get("place_name") != "cell":
        return None
    if following and following.fields.get("how_name") == "list":
        return ("vnic_cell_admit", "polled")
    return ("vnic_cell_poll", "polled")


def delivered(hop, before, kind):
    how = hop.fields.get("how_name", "")
    place = before.fields.get("place_name") if before else ""
    if how == "nowhere":
        return ("vndummy_xmit", "deliver")
    if how == "frags":
        return ("vnic_send_frags", "deliver")
    if place == "rxq" or (kind in LINKS and how == "gro"):
        return ("vnic_rxq_deliver", "deliver", 1 if how == "gro" else 0)
    if place == "backlog":
        return ("vnic_napi_poll", "deliver")
    if place == "cell":
        return ("vnic_cell_deliver_one" if how == "one" else "vnic_cell_admit",
                "deliver")
    if kind in LINKS:
        return ("vnic_rxq_deliver", "deliver", 0)
    return ("vnic_send_one" if how == "one" else "vnic_send_deliver", "deliver")


def entered(hop, following):
    """Many at a time go the short way, but for those that anything else sees."""
    station = hop.station[len("vnic_"):]
    if hop.context[1:2] == ("ioctl",) and not (
            following and (following.station == "vnic_xdp" or
                           following.fields.get("place_name") == "backlog")):
        return ("vnic_quick_build", station)
    return ("vnic_send_build", station)


def taken(hop, before):
    """Into shared memory without having waited."""
    if before and before.station.startswith("net_dev_"):
        return ("vnic_shared_produce", "taken")
    if hop.context[1:2] == ("ioctl",):
        return ("vnic_batch_given", "taken")
    return ("vnic_recv", "taken")


def dropped(hop, kind):
    way = hop.fields.get("counter", "")[:2]
    if kind in LINKS:
        return ("vnic_lose_rx" if way == "rx" else "vnic_lose_tx", "drop")
    return ("vnic_count_loss", "drop")


def xdp(hop, before, kind):
    if kind in LINKS:
        frame = before and before.station == "vnic_polled" and \
            before.fields.get("skbaddr") == hop.fields.get("skbaddr") and \
            not hop.fields.get("protocol")
        return ("vnic_verdict_frame" if frame else "vnic_verdict_skb", "xdp")
    generic = before and before.station == "vnic_checked"
    return ("vnic_xdp_generic" if generic else "vnic_xdp_act", "xdp")


def ours(hop, before, following, kind):
    """(function, station[, which]) of the vnic_trace() that told it."""
    place = hop.fields.get("place_name", "")
    found = BY_PLACE.get((hop.station, place))
    if found:
        return found
    if hop.station in ("vnic_enter", "vnic_checked"):
        return entered(hop, following)
    if hop.station == "vnic_polled":
        return polled(hop, following)
    if hop.station == "vnic_deliver":
        return delivered(hop, before, kind)
    if hop.station == "vnic_drop":
        return dropped(hop, kind)
    if hop.station == "vnic_xdp":
        return xdp(hop, before, kind)
    if hop.station == "vnic_taken":
        return taken(hop, before)
    if hop.station == "vnic_wake":
        if hop.fields.get("waiter_name") == "reader":
            return ("__vnic_queue_wake_reader", "wake")
        return ("vnic_rxq_wake_tx" if kind in LINKS else
                "vnic_queue_consumed", "wake")
    if hop.station == "vnic_handover":
        loop = hop.fields.get("peer") == hop.fields.get("name")
        return ("vndummy_loop" if loop else "vnveth_xmit", "handover")
    return None


def everything():
    """Each (function, station) that may be asked for: what a check compares
    with the source."""
    return set(BY_PLACE.values()) | ALIKE | {
        ("vnic_send_build", "enter"), ("vnic_send_build", "checked"),
        ("vnic_quick_build", "enter"), ("vnic_quick_build", "checked"),
        ("vnic_shared_produce", "taken"),
        ("vnic_cell_admit", "polled"), ("vnic_cell_poll", "polled"),
        ("vndummy_xmit", "deliver"), ("vnic_send_frags", "deliver"),
        ("vnic_rxq_deliver", "deliver"), ("vnic_napi_poll", "deliver"),
        ("vnic_cell_deliver_one", "deliver"), ("vnic_cell_admit", "deliver"),
        ("vnic_send_one", "deliver"), ("vnic_send_deliver", "deliver"),
        ("vnic_lose_rx", "drop"), ("vnic_lose_tx", "drop"),
        ("vnic_count_loss", "drop"), ("vnic_verdict_skb", "xdp"),
        ("vnic_verdict_frame", "xdp"), ("vnic_xdp_generic", "xdp"),
        ("vnic_xdp_act", "xdp"), ("vnic_batch_given", "taken"),
        ("vnic_recv", "taken"), ("__vnic_queue_wake_reader", "wake"),
        ("vnic_rxq_wake_tx", "wake"), ("vnic_queue_consumed", "wake"),
        ("vndummy_loop", "handover"), ("vnveth_xmit", "handover"),
    }


def source(hop, before, following, kind, sources):
    """{function, file, line, from, text} as far as it is known."""
    core = CORE.get(hop.station)
    if core:
        return {"function": core[0], "file": core[1]}
    wanted = ours(hop, before, following, kind)
    if not wanted:
        return {}
    found = sources.of(*wanted)
    if not found:
        return {"function": wanted[0]}
    return {key: found[key] for key in ("function", "file", "line", "from",
                                        "text")}
