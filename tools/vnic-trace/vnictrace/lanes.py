# SPDX-License-Identifier: GPL-2.0
"""Where a hop is: program, fd, stack, device, softirq, bridge."""
from .model import Lane
from .stations import WAITS

SOFTIRQ = {"vnic_polled", "netif_rx", "napi_gro_receive_entry",
           "napi_gro_frags_entry"}
DEVICE = {"vnic_checked", "vnic_handover", "vnic_deliver", "vnic_xdp",
          "vnic_drop", "net_dev_start_xmit", "net_dev_xmit"}


class Lanes:
    def __init__(self, devices, spaces, groups):
        self.devices = devices
        self.spaces = spaces
        self.groups = groups
        self.made = {}

    def lane(self, kind, key, name, note="", netns=None):
        return self.made.setdefault((kind, key),
                                    Lane(kind, key, name, note, netns))

    def space(self, netns):
        if netns is None:
            return ""
        return self.spaces.get(netns) or f"netns {netns}"

    def program(self, hop):
        group = self.groups.get(hop.pid, hop.pid)
        return self.lane("program", group, hop.comm, f"program, pid {group}")

    def file(self, hop, ours):
        """The file that a program's call is about."""
        fd = hop.context[2] if len(hop.context) > 2 else None
        group = self.groups.get(hop.pid, hop.pid)
        what = "/dev/vnic" if ours else "socket"
        name = what if fd is None else f"fd {fd}"
        note = f"of {hop.comm}" if fd is None else f"{what} of {hop.comm}"
        return self.lane("fd", (group, fd), name, note)

    def ring(self, hop, trip, at):
        """Where a packet waits for a program: at the fd which will read it, or
        at the device if none does."""
        for later in trip.hops[at + 1:]:
            if later.station == "vnic_taken" and later.dev == hop.dev and \
                    later.netns == hop.netns:
                return self.file(later, True)
        return self.lane("fd", ("queue", hop.netns, hop.dev,
                                hop.fields.get("queue", 0)),
                         f"queue {hop.fields.get('queue', 0)}",
                         f"of {hop.dev}: a program's fd", hop.netns)

    def device(self, hop):
        kind = self.devices.kind(hop.netns, hop.dev)
        space = self.space(hop.netns)
        note = " in ".join(part for part in (kind, space) if part)
        return self.lane("device", (hop.netns, hop.dev), hop.dev, note,
                         hop.netns)

    def stack(self, hop, dev=None):
        """Of the namespace; or the bridge that the device is a port of."""
        above, kind = self.devices.master(hop.netns, dev or hop.dev)
        space = self.space(hop.netns)
        if above:
            return self.lane("bridge", (hop.netns, above), above,
                             f"{kind} in {space}", hop.netns)
        return self.lane("stack", hop.netns, "stack",
                         f"protocols of {space or '?'}", hop.netns)

    def softirq(self, hop):
        return self.lane("softirq", hop.cpu, f"softirq, CPU {hop.cpu}",
                         "NET_RX: NAPI polls")

    def of(self, hop, trip, at):
        station = hop.station
        if station.startswith("syscall_"):
            return self.program(hop)
        if station == "vnic_enter":
            return self.file(hop, True)
        if station == "vnic_taken":
            return self.program(hop)
        if station == "skb_copy_datagram_iovec" or "read" in hop.fields:
            return self.file(hop, False)
        if station in ("vnic_queue", "vnic_full"):
            if hop.fields.get("place_name") in WAITS:
                return self.ring(hop, trip, at)
            return self.softirq(hop)
        if station == "vnic_wake":
            return self.ring(hop, trip, at)
        if station in SOFTIRQ:
            return self.softirq(hop)
        if station in DEVICE:
            return self.device(hop)
        if station in ("net_dev_queue", "netif_receive_skb"):
            return self.stack(hop)
        # Where it ends is where it was.
        before = trip.hops[at - 1] if at else None
        return before.lane if before else self.stack(hop)


def assign(trips, devices, spaces, groups):
    """Each hop gets its lane; the lanes in the order of their first packet."""
    lanes = Lanes(devices, spaces, groups)
    order = []
    for trip in trips:
        for at, hop in enumerate(trip.hops):
            hop.lane = lanes.of(hop, trip, at)
            if hop.lane not in order:
                order.append(hop.lane)
    return arrange(trips, order)


def arrange(trips, order):
    """A program's fd stands beside it, on the side of the packet's way; a device
    before the stack that first receives by it, and is silent itself."""
    for lane in [lane for lane in order if lane.kind in ("stack", "bridge")]:
        first = next(hop for trip in trips for hop in trip.hops
                     if hop.lane is lane)
        for device in [other for other in order if other.kind == "device"
                       and other.key == (first.netns, first.dev)]:
            if first.station == "netif_receive_skb" and \
                    order.index(device) > order.index(lane):
                order.remove(device)
                order.insert(order.index(lane), device)
    for lane in [lane for lane in order if lane.kind == "program"]:
        files = [other for other in order if other.kind == "fd"
                 and other.key[0] == lane.key]
        for file in files:
            at, here = order.index(file), order.index(lane)
            if abs(at - here) > len(files):
                order.remove(file)
                here = order.index(lane)
                order.insert(here + 1 if here == 0 else here, file)
    return order
