# SPDX-License-Identifier: GPL-2.0
"""The trace event format of Chrome, which Perfetto and speedscope open.

A lane is a process there, a trip a thread of it: so that what one trip does in a
lane never overlaps. A hop lasts until the next one; arrows join them.
"""
import json

from .model import shown


def meta(what, pid, tid, name):
    return {"ph": "M", "name": what, "pid": pid, "tid": tid,
            "args": {"name": name}}


def slices(run, base):
    lanes = {id(lane): base + i for i, lane in enumerate(run.lanes, 1)}
    out = []
    for lane in run.lanes:
        name = f"{run.kind}: {lane.name}" if run.kind else lane.name
        out.append(meta("process_name", lanes[id(lane)], 0,
                        f"{name} ({lane.note})" if lane.note else name))
        out.append({"ph": "M", "name": "process_sort_index",
                    "pid": lanes[id(lane)], "tid": 0,
                    "args": {"sort_index": lanes[id(lane)]}})
    for lane, start, end, words in run.bars:
        out.append({"ph": "X", "name": words, "cat": "softirq",
                    "pid": lanes[id(lane)], "tid": 0,
                    "ts": (start - run.zero) / 1000,
                    "dur": (end - start) / 1000})
    named = set()
    for trip in run.trips:
        out += trip_slices(run, trip, lanes, named)
    return out


def trip_slices(run, trip, lanes, named):
    out = []
    ends = [hop.time for hop in trip.hops[1:]] + [trip.hops[-1].time + 1000]
    for at, (hop, end) in enumerate(zip(trip.hops, ends)):
        pid = lanes[id(hop.lane)]
        if (pid, trip.number) not in named:
            named.add((pid, trip.number))
            what = trip.flow.words() if trip.flow else "a packet"
            out.append(meta("thread_name", pid, trip.number,
                            f"trip {trip.number}: {what}"))
        start = (hop.time - run.zero) / 1000
        place = {"pid": pid, "tid": trip.number, "ts": start}
        out.append({"ph": "X", "name": hop.words, "cat": hop.station,
                    "dur": max(end - hop.time, 0) / 1000, **place,
                    "args": {"cpu": hop.cpu, "runs": hop.comm,
                             "source": source(hop),
                             **{key: shown(value) for key, value
                                in hop.fields.items()}}})
        if len(trip.hops) > 1:
            phase = "s" if at == 0 else \
                "f" if at == len(trip.hops) - 1 else "t"
            arrow = {"ph": phase, "name": "packet", "cat": "packet",
                     "id": lanes_id(lanes, trip), **place}
            if phase == "f":
                arrow["bp"] = "e"
            out.append(arrow)
    return out


def lanes_id(lanes, trip):
    """Of its own in a comparison, too."""
    return min(lanes.values()) * 1000 + trip.number


def source(hop):
    where = hop.source.get("file", "")
    if hop.source.get("line"):
        where += f":{hop.source['line']}"
    return f"{hop.source.get('function', '')} {where}".strip()


def document(runs):
    events = []
    for index, run in enumerate(runs):
        events += slices(run, index * 1000)
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns",
                       "otherData": {"title": runs[0].title,
                                     "kernel": runs[0].kernel}},
                      indent=1) + "\n"
