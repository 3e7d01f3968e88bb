# SPDX-License-Identifier: GPL-2.0
"""Events become trips.

A packet is known by the address of its sk_buff, from where it is first seen to
consume_skb or kfree_skb. Not all is that simple: a program's frame has no address
before it is a packet; an XDP frame has one of its own, and another when it becomes a
packet; addresses are used again, also after ends that the kernel does not tell.
"""
from . import headers
from .context import Contexts
from .core import READS, Core
from .model import Hop, Trip
from .ours import Ours


class Stitcher(Ours, Core):
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
