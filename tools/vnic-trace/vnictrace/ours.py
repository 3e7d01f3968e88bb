# SPDX-License-Identifier: GPL-2.0
"""Our drivers' stations: which packet is it that comes to one?

A part of Stitcher, in a file of its own.
"""
XDP_ACTS = {0: "aborted", 1: "drop", 2: "pass", 3: "tx", 4: "redirect"}


class Ours:
    # ------------------------------------------------------------ programs

    def on_vnic_enter(self, hop):
        trip = self.begin(hop)
        self.entered[hop.pid] = trip
        self.add(trip, hop)

    def on_vnic_checked(self, hop):
        address = hop.fields["skbaddr"]
        trip = self.entered.get(hop.pid)
        # A batch: the next one's enter has not been told.
        if trip is None or "vnic_checked" in trip.stations():
            trip = self.begin(hop)
        self.name(trip, address)
        self.add(trip, hop)

    def on_vnic_taken(self, hop):
        trip = self.find(hop)
        self.add(trip, hop)
        trip.end = "taken"
        self.took(trip, hop)

    # ------------------------------------------------------------ our drivers

    def find(self, hop):
        """The trip of a packet that one of our drivers has."""
        address = hop.fields.get("skbaddr", 0)
        trip = self.live.get(address)
        if trip is not None:
            return trip
        trip = self.adopted(hop)
        if trip is None:
            trip = self.begin(hop)
        elif trip.end in ("consumed", "sent"):
            # Its data goes on in another sk_buff.
            trip.end = None
        if address:
            self.name(trip, address)
        return trip

    def queue_key(self, hop):
        fields = hop.fields
        return (hop.cpu, fields.get("netns"), fields.get("ifindex"),
                fields.get("queue"))

    def adopted(self, hop):
        """An address that was not seen before: of a frame that has become a
        packet, or that XDP has sent on."""
        if hop.station in ("vnic_deliver", "vnic_xdp"):
            waiting = self.polled.get(self.queue_key(hop), [])
            for trip in waiting:
                if trip.last.station in ("vnic_polled", "vnic_xdp",
                                         "consume_skb"):
                    return trip
        sent = self.redirected.get(hop.cpu)
        if sent and hop.station in ("vnic_queue", "vnic_full", "vnic_handover"):
            return sent.pop(0)
        return None

    def ours(self, hop):
        trip = self.find(hop)
        self.add(trip, hop)
        return trip

    on_vnic_queue = ours

    def on_vnic_handover(self, hop):
        self.ours(hop)

    def on_vnic_full(self, hop):
        self.ours(hop)

    def on_vnic_polled(self, hop):
        trip = self.ours(hop)
        self.polled.setdefault(self.queue_key(hop), []).append(trip)

    def decided(self, trip):
        for waiting in self.polled.values():
            if trip in waiting:
                waiting.remove(trip)

    def on_vnic_deliver(self, hop):
        trip = self.ours(hop)
        self.decided(trip)
        if hop.fields.get("how_name") == "nowhere":
            trip.end = "swallowed"

    def on_vnic_xdp(self, hop):
        if hop.fields.get("skbaddr"):
            trip = self.find(hop)
        else:
            trip = self.entered.get(hop.pid)
            if trip is None:
                trip = self.begin(hop)
        act = XDP_ACTS.get(hop.fields.get("act"), "aborted")
        hop.fields["act_name"] = act
        self.add(trip, hop)
        if act in ("tx", "redirect"):
            self.decided(trip)
            self.redirected.setdefault(hop.cpu, []).append(trip)
            self.finish(trip, "sent")

    def on_vnic_drop(self, hop):
        address = hop.fields.get("skbaddr")
        trip = self.entered.get(hop.pid)
        if address and address not in self.live and trip and \
                trip.last.station in ("vnic_enter", "vnic_xdp"):
            # An sk_buff that was not checked yet: it is refused for that.
            self.name(trip, address)
        elif address:
            trip = self.find(hop)
        else:
            before = self.dropped.get(hop.cpu)
            if trip is None or trip.end == "dropped":
                # The other end counts the same loss.
                trip = before if before and self.same_context(before, hop) \
                    else trip
            if trip is None:
                trip = self.begin(hop)
        hop.bad = True
        self.decided(trip)
        self.add(trip, hop)
        trip.end = "dropped"
        self.dropped[hop.cpu] = trip

    def on_vnic_wake(self, hop):
        """Not of one packet: of the last that waits there."""
        for trip in reversed(self.trips):
            last = trip.last
            if last.station == "vnic_queue" and not trip.end and \
                    last.fields.get("netns") == hop.fields.get("netns") and \
                    last.fields.get("ifindex") == hop.fields.get("ifindex") \
                    and last.fields.get("queue") == hop.fields.get("queue") \
                    and hop.fields.get("waiter_name") == "reader":
                self.add(trip, hop)
                return
