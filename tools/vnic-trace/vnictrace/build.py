# SPDX-License-Identifier: GPL-2.0
"""From a record to a run: trips with words, lanes and sources."""
from . import chain, lanes, places, stations
from .devices import Devices
from .model import Run
from .source import Sources
from .stitch import Stitcher


def notes_of(record, trips, left_out):
    notes = list(record.notes)
    for lost in record.head["lost"]:
        notes.append(f"CPU {lost['cpu']}: {lost['events']} events were lost, "
                     "for the buffer was full; trips may end or be missing "
                     "(VNIC_TRACE_BUFFER_KB makes it larger)")
    notes += [f"missing: {what}" for what in record.head["missing"]]
    if left_out:
        notes.append(f"{left_out} other packets are not followed")
    if not trips:
        notes.append("no packet was seen")
    return notes


def tell(trip, devices, sources):
    for at, hop in enumerate(trip.hops):
        before = trip.hops[at - 1] if at else None
        following = trip.hops[at + 1] if at + 1 < len(trip.hops) else None
        kind = devices.kind(hop.netns, hop.dev) or guess(trip)
        hop.words = stations.words(hop)
        hop.explain = stations.explain(hop)
        hop.source = places.source(hop, before, following, kind, sources)


def guess(trip):
    """Of a device that is gone: a packet that never met a program's fd is that
    of a link."""
    fd = {"vnic_enter", "vnic_taken"} & set(trip.stations())
    ring = any(hop.fields.get("place_name") in stations.WAITS for hop in trip.hops)
    return "" if fd or ring else "vnveth"


def bars_of(run, contexts, groups):
    """Softirqs and system calls in which one of the hops lies."""
    bars = []
    by_lane = {(lane.kind, lane.key): lane for lane in run.lanes}
    times = [(hop.time, hop.cpu) for hop in run.hops()]
    for cpu, softirq, end in contexts.done:
        lane = by_lane.get(("softirq", cpu))
        if lane and any(softirq.time <= time <= end and at == cpu
                        for time, at in times):
            bars.append((lane, softirq.time, end, f"softirq {softirq.name}"))
    return bars


def number(run):
    count = 0
    for trip in run.trips:
        for hop in trip.hops:
            count += 1
            hop.number = count


def build(record, follow="all", title=""):
    head = record.head
    devices = Devices(head, record.events)
    stitcher = Stitcher(record, devices)
    trips, left_out = chain.join(stitcher.stitch(), head["groups"], follow)
    run = Run()
    run.command = [str(word) for word in head["command"]]
    run.title = title or " ".join(run.command)
    run.kernel = str(head.get("kernel", ""))
    run.kind = str(head.get("kind", ""))
    run.cpus = head.get("cpus", 0)
    run.status = head.get("status", 0)
    run.spaces = head["namespaces"]
    run.trips = trips
    run.notes = notes_of(record, trips, left_out)
    sources = Sources.here()
    run.lanes = lanes.assign(trips, devices, run.spaces, head["groups"])
    for trip in trips:
        tell(trip, devices, sources)
    number(run)
    run.bars = bars_of(run, stitcher.contexts, head["groups"])
    return run
