# SPDX-License-Identifier: GPL-2.0
"""The network core's stations, the bytes that probes read, and the ends.

A part of Stitcher, in a file of its own.
"""
from . import headers
from .model import Trip

# The packet is the stack's, which may free it without a word.
IN_STACK = {"netif_receive_skb", "vnic_deliver", "napi_gro_receive_entry",
            "napi_gro_frags_entry"}
GRO = {"napi_gro_receive_entry", "napi_gro_frags_entry"}
PROBED = {"start": "net_dev_start_xmit", "receive": "netif_receive_skb",
          "checked": "vnic_checked"}
READS = {"read", "readv", "recvfrom", "recvmsg", "recvmmsg", "ioctl", "splice",
         "io_uring_enter"}


class Core:
    # ------------------------------------------------------------ the kernel

    def goes_on(self, trip, hop):
        """Is it still that packet, or its address in a second life?"""
        if trip.last.station in IN_STACK or hop.station in GRO or \
                hop.station == "net_dev_queue":
            return self.same_context(trip, hop) and self.same_space(trip, hop)
        return True

    def same_space(self, trip, hop):
        """What goes on by another device does so in its namespace."""
        spaces = self.devices.by_name.get(hop.fields.get("name"), ())
        return trip.last.netns is None or not spaces or \
            trip.last.netns in spaces or trip.last.station not in IN_STACK

    def passing(self, hop):
        """The trip of a packet that the core has, or None if it is new."""
        trip = self.live.get(hop.fields["skbaddr"])
        if trip is not None and not self.goes_on(trip, hop):
            self.finish(trip, "unseen")
            return None
        return trip

    def cause(self, hop):
        before = self.receiving.get(hop.cpu)
        if before and self.contexts.key(hop.pid, hop.cpu) == before[1]:
            return ["cause", before[0]]
        return None

    def on_net_dev_queue(self, hop):
        trip = self.passing(hop)
        if trip is None:
            trip = self.begin(hop, hop.fields["skbaddr"], self.cause(hop))
        self.add(trip, hop)
        self.queued[hop.cpu] = trip

    def on_net_dev_start_xmit(self, hop):
        trip = self.passing(hop)
        if trip is None:
            whole = self.queued.get(hop.cpu)
            link = None
            if whole and whole.hops and self.same_context(whole, hop) and \
                    whole.length > hop.fields.get("len", 0):
                link = ["segment", whole]
            trip = self.begin(hop, hop.fields["skbaddr"], link)
            if link and whole.flow:
                trip.flow = whole.flow
        self.sending.setdefault(hop.cpu, []).append((hop.fields["skbaddr"],
                                                     trip))
        self.add(trip, hop)

    def on_net_dev_xmit(self, hop):
        """It may be gone already; only a refusal is worth a word."""
        stack = self.sending.get(hop.cpu, [])
        while stack:
            address, trip = stack.pop()
            if address == hop.fields["skbaddr"]:
                if hop.fields.get("rc"):
                    self.add(trip, hop)
                return

    def on_netif_rx(self, hop):
        trip = self.passing(hop)
        if trip is None:
            trip = self.begin(hop, hop.fields["skbaddr"], self.cause(hop))
        self.add(trip, hop)

    def on_napi_gro_receive_entry(self, hop):
        trip = self.live.get(hop.fields["skbaddr"])
        # Ours has said so already.
        if trip is not None and trip.last.station == "vnic_deliver":
            return
        self.on_netif_rx(hop)

    on_napi_gro_frags_entry = on_napi_gro_receive_entry

    def on_netif_receive_skb(self, hop):
        trip = self.live.get(hop.fields["skbaddr"])
        if trip is None:
            trip = self.begin(hop, hop.fields["skbaddr"], self.cause(hop))
        self.add(trip, hop)
        self.receiving[hop.cpu] = (trip, self.contexts.key(hop.pid, hop.cpu))

    def freed(self, hop):
        """The trip that ends here; None if the address is another's by now."""
        trip = self.live.get(hop.fields["skbaddr"])
        if trip is None:
            return None
        if trip.flow and trip.flow.name == "TCP" and \
                trip.last.station in IN_STACK and \
                not self.same_context(trip, hop):
            self.finish(trip, "unseen")
            return None
        return trip

    def on_consume_skb(self, hop):
        trip = self.freed(hop)
        if trip is None:
            return
        call = self.contexts.call(hop.pid, hop.cpu)
        # Of a short datagram the kernel does not tell that it is copied.
        read = call and call.name in READS and \
            trip.last.station in IN_STACK and not self.same_context(trip, hop)
        self.add(trip, hop)
        if read:
            hop.fields["read"] = call.name
            self.took(trip, hop)
        self.finish(trip, "taken" if read else "consumed")

    def on_kfree_skb(self, hop):
        trip = self.freed(hop)
        if trip is None:
            return
        hop.reason = hop.fields.get("reason_name", "")
        # Of a drop of ours it is the end; else it is the drop.
        hop.bad = trip.end not in ("dropped", "swallowed", "taken")
        self.add(trip, hop)
        if hop.bad:
            trip.end = "dropped"
        self.finish(trip, "dropped")

    def on_skb_copy_datagram_iovec(self, hop):
        address = hop.fields["skbaddr"]
        trip = self.live.get(address)
        if trip is None:
            trip = self.cloned(hop)
            if trip is None:
                return
            self.name(trip, address)
        self.add(trip, hop)
        trip.end = "taken"
        self.took(trip, hop)

    def cloned(self, hop):
        """A socket has its own copy of the sk_buff, whose making is not told:
        that of a packet of this length which the stack has just finished."""
        length = hop.fields.get("len", 0)
        for trip in reversed(self.trips[-64:]):
            received = [h for h in trip.hops
                        if h.station == "netif_receive_skb"]
            if received and trip.end in ("consumed", "dropped") and \
                    "skb_copy_datagram_iovec" not in trip.stations():
                whole = received[-1].fields.get("len", 0)
                if 0 <= whole - length <= 60:
                    # It was no loss: another has it.
                    for other in trip.hops:
                        if other.station == "kfree_skb":
                            other.bad = False
                    return trip
        return None

    # ------------------------------------------------------------ its bytes

    def bytes_seen(self, probe, fields):
        """What a probe has read through the address, just after an event."""
        trip = self.live.get(fields["skbaddr"])
        if trip is None:
            return
        station = PROBED[probe]
        hop = next((hop for hop in reversed(trip.hops)
                    if hop.station == station), None)
        if hop is None:
            return
        if self.devices.is_space(fields.get("netns")):
            hop.netns = fields["netns"]
        flow = headers.parse(
            headers.from_words(fields), hop.fields.get("protocol", 0),
            hop.fields.get("network_offset") if probe == "start" else None)
        if flow and trip.flow and trip.flow.answers(flow) and probe == "start":
            trip = self.split(trip, fields["skbaddr"])
        if flow and not (trip.flow and trip.flow.ends[0]):
            trip.flow = flow

    def split(self, trip, address):
        """Its bytes say that since it was sent it is another packet, which goes
        the other way: the address was used again at once."""
        at = max([i for i, hop in enumerate(trip.hops)
                  if hop.station == "net_dev_queue"], default=0)
        if not at:
            return trip
        other = Trip()
        other.hops, trip.hops = trip.hops[at:], trip.hops[:at]
        other.length = other.hops[0].fields.get("len", 0)
        self.trips.append(other)
        self.keys[id(other)] = self.keys[id(trip)]
        self.name(other, address)
        for cpu, last in self.queued.items():
            self.queued[cpu] = other if last is trip else last
        for stack in self.sending.values():
            stack[:] = [(skb, other if one is trip else one)
                        for skb, one in stack]
        return other
