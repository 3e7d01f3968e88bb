# SPDX-License-Identifier: GPL-2.0
"""Trips that belong together: what a program carries on, answers, copies."""

SENDS = {"write", "writev", "sendto", "sendmsg", "sendmmsg", "ioctl"}


def taken_by(trip, station="vnic_taken"):
    """(when, process) of the hop by which a program has taken it at the end."""
    for hop in reversed(trip.hops):
        if hop.station == station:
            return hop.time, hop.pid
        if hop.station != "syscall_exit" and hop.station != "consume_skb":
            return None
    return None


def entered_by(trip):
    """(when, process, bytes) of the hop by which a program has made it."""
    for hop in trip.hops[:2]:
        if hop.station == "vnic_enter":
            return hop.time, hop.pid, hop.fields.get("len", 0)
    return None


def same_packet(one, other):
    """None: their headers do not tell."""
    if one.flow and other.flow and one.flow.ends[0] and other.flow.ends[0]:
        return one.flow.key() == other.flow.key()
    return None


def find_taken(trip, waiting, groups):
    """The packet that a program has taken and now gives to another device: of
    the same process and length, or by its headers through other programs."""
    when, pid, size = entered_by(trip)
    group = groups.get(pid, pid)
    for before in waiting:
        time, by = taken_by(before)
        same = same_packet(before, trip)
        if time > when or same is False:
            continue
        here = groups.get(by, by) == group and before.length == size
        if here or same:
            return before
    return None


def carry(trips, groups):
    """Join what goes in at one fd and out at another: one trip."""
    waiting, out = [], []
    for trip in trips:
        before = None
        if entered_by(trip):
            before = find_taken(trip, waiting, groups)
        if before:
            waiting.remove(before)
            before.hops += trip.hops
            before.addresses += trip.addresses
            before.end = trip.end
            before.flow = before.flow if not trip.flow or \
                (before.flow and before.flow.protocol) else trip.flow
            for other in trips:
                if other.link and other.link[1] is trip:
                    other.link[1] = before
            trip = before
        else:
            out.append(trip)
        if taken_by(trip):
            waiting.append(trip)
    return out


def tunnels(trips, groups):
    """What a program sends by a socket because of what it has read from a
    device, and the reverse."""
    last = {}
    for trip in trips:
        first = trip.hops[0]
        group = groups.get(first.pid, first.pid)
        if not trip.link and first.station == "syscall_enter" and \
                first.fields.get("name") in SENDS and group in last:
            before, ours = last[group]
            if ours != bool(entered_by(trip)) and \
                    before.hops[-1].time <= first.time and before is not trip:
                trip.link = ["cause", before]
                del last[group]
        for station in ("vnic_taken", "skb_copy_datagram_iovec"):
            found = taken_by(trip, station)
            if found:
                last[groups.get(found[1], found[1])] = \
                    (trip, station == "vnic_taken")


def answers(trips):
    answered = set()
    for i, trip in enumerate(trips):
        if not trip.flow or (trip.link and trip.link[0] == "segment"):
            continue
        if trip.link and same_packet(trip.link[1], trip):
            trip.link = ["copy", trip.link[1]]
            continue
        for before in reversed(trips[:i]):
            if before.flow and id(before) not in answered and \
                    trip.flow.answers(before.flow):
                trip.link = ["answer", before]
                answered.add(id(before))
                break


def follow(trips, wanted):
    """Those that --follow asks for."""
    if wanted == "all":
        return trips
    kept = [trip for trip in trips if trip.flow and trip.flow.matches(wanted)]
    ids = {id(trip) for trip in kept}
    # Of a packet whose headers were not seen, what it comes from tells.
    for trip in trips:
        if id(trip) not in ids and trip.link and id(trip.link[1]) in ids and \
                not (trip.flow and trip.flow.protocol):
            ids.add(id(trip))
    return [trip for trip in trips if id(trip) in ids]


def join(trips, groups, wanted):
    trips = carry(trips, groups)
    tunnels(trips, groups)
    answers(trips)
    kept = follow(trips, wanted)
    for number, trip in enumerate(kept, 1):
        trip.number = number
    for trip in kept:
        # To one that is not shown there is no link.
        trip.link = [trip.link[0], trip.link[1].number] \
            if trip.link and trip.link[1].number else None
    return kept, len(trips) - len(kept)
