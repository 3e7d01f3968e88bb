# SPDX-License-Identifier: GPL-2.0
"""All that is known, as JSON (Documentation/vnic-trace.rst has the schema), and
back again."""
import json

from . import Failure
from .headers import Flow
from .model import Hop, Lane, Run, Trip, shown

SCHEMA = "vnic-trace-1"
HOP = ("number", "time", "cpu", "pid", "comm", "station", "dev", "netns",
       "words", "explain", "bad", "reason", "source", "fields")


def hop_json(run, hop, lanes):
    out = {key: getattr(hop, key) for key in HOP}
    out["time"] = hop.time - run.zero
    # Whoever reads JSON may have but 53 bits for a number.
    out["fields"] = {key: shown(value) for key, value in hop.fields.items()}
    out["context"] = list(hop.context)
    out["lane"] = lanes[id(hop.lane)]
    return out


def trip_json(run, trip, lanes):
    return {"number": trip.number, "end": trip.end, "length": trip.length,
            "link": {"kind": trip.link[0], "trip": trip.link[1]}
            if trip.link else None,
            "flow": trip.flow.to_json() if trip.flow else None,
            "what": trip.flow.words() if trip.flow else "",
            "addresses": [f"0x{address:x}" for address in trip.addresses],
            "hops": [hop_json(run, hop, lanes) for hop in trip.hops]}


def run_json(run):
    lanes = {id(lane): i for i, lane in enumerate(run.lanes)}
    return {"title": run.title, "command": run.command, "kernel": run.kernel,
            "kind": run.kind, "cpus": run.cpus, "status": run.status,
            "notes": run.notes,
            "namespaces": {str(space): name
                           for space, name in run.spaces.items()},
            "lanes": [{"kind": lane.kind, "name": lane.name, "note": lane.note,
                       "netns": lane.netns} for lane in run.lanes],
            "bars": [{"lane": lanes[id(lane)], "from": start - run.zero,
                      "to": end - run.zero, "words": words}
                     for lane, start, end, words in run.bars],
            "trips": [trip_json(run, trip, lanes) for trip in run.trips]}


def tree(runs):
    return {"schema": SCHEMA, "runs": [run_json(run) for run in runs]}


def document(runs):
    return json.dumps(tree(runs), indent=1) + "\n"


# ------------------------------------------------------------ and back

def load_hop(data, lanes):
    hop = Hop(data["time"], data["cpu"], data["pid"], data["station"],
              data["fields"])
    for key in HOP:
        setattr(hop, key, data[key])
    hop.context = tuple(data["context"])
    hop.lane = lanes[data["lane"]]
    return hop


def load_trip(data, lanes):
    trip = Trip()
    trip.number, trip.end = data["number"], data["end"]
    trip.length = data["length"]
    trip.addresses = [int(address, 16) for address in data["addresses"]]
    if data["link"]:
        trip.link = [data["link"]["kind"], data["link"]["trip"]]
    if data["flow"]:
        trip.flow = Flow(**data["flow"])
    trip.hops = [load_hop(hop, lanes) for hop in data["hops"]]
    if not trip.hops:
        raise ValueError
    return trip


def load_run(data):
    run = Run()
    for key in ("title", "command", "kernel", "kind", "cpus", "status",
                "notes"):
        setattr(run, key, data[key])
    run.spaces = {int(space): name
                  for space, name in data["namespaces"].items()}
    run.lanes = [Lane(lane["kind"], i, lane["name"], lane["note"],
                      lane["netns"]) for i, lane in enumerate(data["lanes"])]
    run.bars = [(run.lanes[bar["lane"]], bar["from"], bar["to"], bar["words"])
                for bar in data["bars"]]
    run.trips = [load_trip(trip, run.lanes) for trip in data["trips"]]
    return run


def load(content, name):
    try:
        data = json.loads(content)
        if data["schema"] != SCHEMA:
            raise Failure(f"{name} has the schema {data['schema']}, and this "
                          f"is {SCHEMA}")
        runs = [load_run(run) for run in data["runs"]]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise Failure(f"{name} is damaged: it is no JSON of vnic-trace"
                      ) from None
    if not runs:
        raise Failure(f"{name} has no run in it")
    return runs


def choose(runs, follow, title):
    """Show less of it, by another name."""
    for run in runs:
        if title:
            run.title = title
        if follow != "all":
            run.trips = [trip for trip in run.trips
                         if trip.flow and trip.flow.matches(follow)]
