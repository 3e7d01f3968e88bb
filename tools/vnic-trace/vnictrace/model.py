# SPDX-License-Identifier: GPL-2.0
"""What all outputs are made from: a run has trips, a trip has hops."""

# How a trip has ended.
ENDS = {
    "consumed": "arrived: its last holder has freed it",
    "taken": "a program has it",
    "dropped": "dropped",
    "swallowed": "swallowed by the device, which is what it is for",
    "sent": "an XDP program has sent it elsewhere",
    "unseen": "its end was not seen: the kernel does not tell of each "
              "(TCP, GRO), or the recording was over",
}
# What a trip is to another.
LINKS = {
    "answer": "the answer to trip",
    "copy": "a copy of trip",
    "segment": "cut from trip",
    "cause": "caused by trip",
}


EXACT = 1 << 53


def shown(value):
    """An address as one, and a number as one."""
    if isinstance(value, int) and not -EXACT < value < EXACT:
        return f"0x{value & (1 << 64) - 1:x}"
    return value


class Hop:
    """One station: when, who, where, and all that the event said."""

    def __init__(self, time, cpu, pid, station, fields):
        self.time = time
        self.cpu = cpu
        self.pid = pid
        self.station = station
        self.fields = fields
        self.comm = ""
        self.dev = ""
        self.netns = None
        # ("syscall", name, fd) or ("softirq", "NET_RX"); what holds it up
        self.context = ()
        self.number = 0
        self.lane = None
        self.bad = False
        self.reason = ""
        self.words = ""
        self.explain = ""
        self.source = {}


class Trip:
    """One packet from where it is first seen to where it is last seen."""

    def __init__(self):
        self.number = 0
        self.addresses = []
        self.flow = None
        self.hops = []
        self.end = None
        self.link = None
        self.length = 0

    @property
    def last(self):
        return self.hops[-1] if self.hops else None

    @property
    def start_time(self):
        return self.hops[0].time

    def stations(self):
        return [hop.station for hop in self.hops]


class Lane:
    """A row of the picture: somewhere that packets come to."""

    def __init__(self, kind, key, name, note, netns):
        self.kind = kind
        self.key = key
        self.name = name
        self.note = note
        self.netns = netns


class Run:
    """What one recording has shown."""

    def __init__(self):
        self.title = ""
        self.command = []
        self.kernel = ""
        self.kind = ""
        self.cpus = 0
        self.status = 0
        self.notes = []
        self.spaces = {}
        self.kinds = {}
        self.trips = []
        self.lanes = []
        # Time in softirqs and in system calls: (lane, from, to, words)
        self.bars = []

    def hops(self):
        return [hop for trip in self.trips for hop in trip.hops]

    @property
    def zero(self):
        return min((trip.start_time for trip in self.trips), default=0)

    def space(self, netns):
        if netns is None:
            return ""
        return self.spaces.get(netns) or f"netns {netns}"
