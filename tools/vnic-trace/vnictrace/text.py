# SPDX-License-Identifier: GPL-2.0
"""The one page of text, and the same without what differs from run to run."""
from .model import ENDS, LINKS


def micro(nanoseconds):
    return f"{nanoseconds / 1000:.1f}"


def where(run, hop):
    """"v0 (red)": of its lane."""
    lane = hop.lane
    space = run.space(lane.netns)
    return f"{lane.name} ({space})" if space else lane.name


def clean(text):
    """One line, whatever a name has in it."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}"
                   for c in text)


def title_of(trip, stable=False):
    words = trip.flow.words(stable) if trip.flow else "a packet"
    out = f"trip {trip.number}: {words}, {trip.length} bytes"
    if trip.link:
        out += f" ({LINKS[trip.link[0]]} {trip.link[1]})"
    return out


def page(run):
    out = [f"{run.title}",
           f"kernel {run.kernel}, {run.cpus} CPUs, {len(run.trips)} trips, "
           f"exit status {run.status}"]
    out += [f"! {note}" for note in run.notes]
    zero = run.zero
    hops = run.hops()
    places = max([len(where(run, hop)) for hop in hops] + [5])
    comms = max([len(hop.comm) for hop in hops] + [4])
    for trip in run.trips:
        start = trip.start_time
        out += ["", f"{title_of(trip)}, begins at {micro(start - zero)} us",
                f"{'#':>4} {'us':>9}  CPU {'runs':{comms}}  "
                f"{'where':{places}}  what"]
        for hop in trip.hops:
            line = f"{hop.number:4} {micro(hop.time - start):>9}  " \
                f"{hop.cpu:3} {hop.comm:{comms}}  " \
                f"{where(run, hop):{places}}  {hop.words}"
            source = hop.source
            if source.get("line"):
                line += f"   [{source['file'][8:]}:{source['line']}]"
            out.append(line)
        total = trip.hops[-1].time - start
        out.append(f"     end: {ENDS[trip.end]}; {micro(total)} us")
    return "\n".join(clean(line) for line in out) + "\n"


# ------------------------------------------------------------ golden

def stable_lane(hop):
    kind = hop.lane.kind
    if kind == "program":
        return f"program {hop.comm}"
    if kind == "softirq":
        return "softirq"
    if kind == "fd":
        return "fd"
    return f"{kind} {hop.lane.name}" if kind != "stack" else "stack"


def stable_fields(hop):
    """What of an event is the same each time."""
    fields = hop.fields
    out = []
    for name in ("len", "place_name", "depth", "how_name", "act_name",
                 "waiter_name", "peer", "counter"):
        if name in fields and not (name == "len" and
                                   not hop.station.startswith("vnic_")):
            out.append(f"{name.replace('_name', '')}={fields[name]}")
    if hop.station == "syscall_exit" and fields.get("ret", 0) < 0:
        out.append(f"ret={fields['ret']}")
    return " ".join(out)


def stable_space(run, hop):
    return run.spaces.get(hop.lane.netns) or "" if hop.lane.netns else ""


def normal(run):
    """No addresses, processes, times, CPUs or indexes; names and order."""
    out = []
    for trip in run.trips:
        words = trip.flow.words(True) if trip.flow else "packet"
        line = f"trip {trip.number}: {words}"
        if trip.link:
            line += f", {trip.link[0]} {trip.link[1]}"
        out.append(line)
        for hop in trip.hops:
            name = hop.fields.get("name", "") \
                if hop.station.startswith("syscall_") else ""
            space = stable_space(run, hop)
            parts = [stable_lane(hop) + (f" in {space}" if space else "") + ":",
                     hop.station, name, stable_fields(hop)]
            if hop.station == "kfree_skb":
                parts.append("drop" if hop.bad else "")
            out.append("  " + " ".join(part for part in parts if part))
        out.append(f"  end: {trip.end}")
    return "\n".join(clean(line) for line in out) + "\n"
