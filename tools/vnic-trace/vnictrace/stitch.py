# SPDX-License-Identifier: GPL-2.0
"""Events become trips.

A packet is known by the address of its sk_buff, from where it is first seen to
consume_skb or kfree_skb. Not all is that simple: a program's frame has no address
before it is a packet; an XDP frame has one of its own, and another when it becomes a
packet; addresses are used again, also after ends that the kernel does not tell.
"""
from . import headers
from .context import Contexts
from .model import Hop, Trip

XDP_ACTS = {0: "aborted", 1: "drop", 2: "pass", 3: "tx", 4: "redirect"}
# The packet is the stack's, which may free it without a word.
IN_STACK = {"netif_receive_skb", "vnic_deliver", "napi_gro_receive_entry",
            "napi_gro_frags_entry"}
GRO = {"napi_gro_receive_entry", "napi_gro_frags_entry"}
PROBED = {"start": "net_dev_start_xmit", "receive": "netif_receive_skb",
          "checked": "vnic_checked"}
READS = {"read", "readv", "recvfrom", "recvmsg", "recvmmsg", "ioctl", "splice",
         "io_uring_enter"}


class Stitcher:
    def __init__(self, record, devices):
        self.record = record
        self.devices = devices
        self.contexts = Contexts()
        self.trips = []
        self.live = {}
        # By process: what its last vnic_enter has begun
        self.entered = {}
        # The same: what it has taken in a call whose beginning was not seen
        self.unasked = {}
        # By CPU: in ndo_start_xmit; received just now; sent on by XDP
        self.sending = {}
        self.receiving = {}
        self.redirected = {}
        self.dropped = {}
        self.queued = {}
        # By CPU and receive queue: polled, and not yet decided about
        self.polled = {}
        self.keys = {}

    def stitch(self):
        for time, cpu, pid, name, fields in self.record.events:
            self.event(time, cpu, pid, name, fields)
        for trip in self.trips:
            self.fill(trip)
            if not trip.end:
                trip.end = "unseen"
        self.trips.sort(key=lambda trip: trip.start_time)
        return self.trips

    def fill(self, trip):
        """Where a device is may be known only when the packet is further on."""
        for hop in trip.hops:
            if hop.dev and hop.netns is None:
                hop.netns = next((other.netns for other in trip.hops
                                  if other.dev == hop.dev and
                                  other.netns is not None), None)

    # ------------------------------------------------------------ one event

    def event(self, time, cpu, pid, name, fields):
        contexts = self.contexts
        if name == "softirq_entry":
            contexts.softirq_entry(time, cpu, pid, fields)
        elif name == "softirq_exit":
            contexts.softirq_exit(time, cpu, fields)
            self.receiving.pop(cpu, None)
        elif name == "napi_poll":
            contexts.polls.append((time, cpu, fields))
        elif name.startswith("sys_enter_"):
            contexts.enter(time, cpu, pid, name[10:], fields)
            self.entered.pop(pid, None)
        elif name.startswith("sys_exit_"):
            self.left(time, cpu, pid, name[9:], fields)
        elif name in ("start", "receive", "checked"):
            self.bytes_seen(name, fields)
        else:
            known = getattr(self, "on_" + name, None)
            if known:
                known(Hop(time, cpu, pid, name, fields))

    def place(self, hop, trip):
        """Where it is told, and in what context."""
        fields = hop.fields
        hop.comm = self.comm(hop.pid)
        hop.context = self.contexts.of(hop.pid, hop.cpu)
        if "name" in fields:
            hop.dev = fields["name"]
            hop.netns = fields["netns"] if "netns" in fields else \
                self.devices.netns_of(hop.dev, trip)
        elif trip.last:
            hop.dev, hop.netns = trip.last.dev, trip.last.netns
        return hop

    def comm(self, pid):
        return self.record.head["comms"].get(pid) or f"process {pid}"

    def add(self, trip, hop):
        self.place(hop, trip)
        trip.hops.append(hop)
        if hop.fields.get("len", 0) > 0 and not trip.length:
            trip.length = hop.fields["len"]
        if not trip.flow and hop.fields.get("protocol"):
            trip.flow = headers.by_number(hop.fields["protocol"])
        self.keys[id(trip)] = self.contexts.key(hop.pid, hop.cpu)
        return trip

    def begin(self, hop, address=None, link=None):
        """A new trip. A program that is in a system call has begun it."""
        trip = Trip()
        trip.link = link
        self.trips.append(trip)
        call = self.contexts.call(hop.pid, hop.cpu)
        if call and not link and call.name not in READS - {"ioctl", "splice"}:
            first = Hop(call.time, call.cpu, hop.pid, "syscall_enter",
                        {"name": call.name, **call.fields})
            first.comm = self.comm(hop.pid)
            first.context = ("syscall", call.name, call.fd)
            trip.hops.append(first)
            call.began.append(trip)
        if address:
            self.name(trip, address)
        return trip

    def name(self, trip, address):
        other = self.live.get(address)
        if other is not None and other is not trip:
            self.finish(other, "unseen")
        if address not in trip.addresses:
            trip.addresses.append(address)
        self.live[address] = trip

    def finish(self, trip, end):
        if not trip.end:
            trip.end = end
        for address in trip.addresses:
            if self.live.get(address) is trip:
                del self.live[address]

    def same_context(self, trip, hop):
        return self.keys.get(id(trip)) == \
            self.contexts.key(hop.pid, hop.cpu)

    # ------------------------------------------------------------ programs

    def left(self, time, cpu, pid, name, fields):
        """A system call is over: of packets that it took it is the end, of one
        that was refused, the answer."""
        call = self.contexts.leave(pid, name)
        self.entered.pop(pid, None)
        # Without a call it slept already when the recording began.
        over = self.unasked.pop(pid, []) if not call else call.ended
        ret = fields.get("ret", 0)
        if call and ret < 0:
            over = over + [trip for trip in call.began
                           if trip.end == "dropped" and
                           trip.hops[0].station == "syscall_enter"]
        for trip in over:
            hop = Hop(time, cpu, pid, "syscall_exit", {"name": name, "ret": ret})
            if call and call.fd is not None:
                hop.fields["fd"] = call.fd
            hop.comm = self.comm(pid)
            hop.context = ("syscall", name, hop.fields.get("fd"))
            hop.dev, hop.netns = trip.last.dev, trip.last.netns
            trip.hops.append(hop)

    def took(self, trip, hop):
        """The program has it; its call is not over."""
        call = self.contexts.call(hop.pid, hop.cpu)
        ended = call.ended if call else self.unasked.setdefault(hop.pid, [])
        if trip not in ended:
            ended.append(trip)

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

    # ------------------------------------------------------------ the kernel

    def goes_on(self, trip, hop):
        """Is it still that packet, or its address in a second life?"""
        if trip.last.station in IN_STACK or hop.station in GRO or \
                hop.station == "net_dev_queue":
            return self.same_context(trip, hop)
        return True

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
        if trip.flow and trip.flow.ends[0]:
            return
        flow = headers.parse(
            headers.from_words(fields), hop.fields.get("protocol", 0),
            hop.fields.get("network_offset") if probe == "start" else None)
        if flow:
            trip.flow = flow
