# SPDX-License-Identifier: GPL-2.0
"""One run's lanes: a lane for each place, time to the right, an arrow for each
hop."""
from . import paint, timeline
from .model import shown
from .paint import FAINT, INK, PLAIN, RED, SOFT, SPACES, TRIPS, element

WIDTH, LEFT, RIGHT = 1240, 206, 1214
LANE, GAP, DOT = 68, 5, 10.5
ROWS = (0, -22, 22)
MOST = 8
SHORT = {
    "vnic_enter": "write", "vnic_checked": "checked", "vnic_taken": "read",
    "vnic_wake": "wakes it", "vnic_queue": "waits", "vnic_full": "full",
    "vnic_polled": "NAPI takes it", "vnic_handover": "handed over",
    "vnic_deliver": "to the stack", "net_dev_queue": "qdisc",
    "net_dev_start_xmit": "transmit", "netif_rx": "waits",
    "netif_receive_skb": "received", "consume_skb": "freed",
    "skb_copy_datagram_iovec": "to the program", "vnic_drop": "DROPPED",
    "napi_gro_receive_entry": "GRO", "napi_gro_frags_entry": "GRO",
}


class Palette:
    def __init__(self, runs):
        self.of = {}
        for run in runs:
            for lane in run.lanes:
                if lane.netns is not None:
                    name = run.space(lane.netns)
                    self.of.setdefault(name, SPACES[len(self.of) % len(SPACES)])

    def lane(self, run, lane):
        if lane.netns is None:
            return PLAIN
        return self.of[run.space(lane.netns)]


def color(trip):
    return TRIPS[(trip.number - 1) % len(TRIPS)]


def short(hop):
    if hop.station.startswith("syscall_"):
        name = hop.fields.get("name", "")
        return f"{name}()" if hop.station == "syscall_enter" else \
            "fails" if hop.fields.get("ret", 0) < 0 else "returns"
    if hop.station == "kfree_skb":
        return "DROPPED" if hop.bad else "freed"
    if hop.station == "vnic_xdp":
        return f"XDP {hop.fields.get('act_name', '')}"
    if hop.station == "vnic_deliver" and \
            hop.fields.get("how_name") == "nowhere":
        return "swallowed"
    return SHORT.get(hop.station, "")


def hover(run, hop):
    """Function, file and line, and every field."""
    lines = [f"{hop.number}. {hop.words}",
             f"{timeline.words(hop.time - run.zero)} after the start, CPU "
             f"{hop.cpu}, {hop.comm} ({hop.pid})"]
    source = hop.source
    if source.get("function"):
        where = source.get("file", "")
        if source.get("line"):
            where += f":{source['line']}"
        lines.append(f"{source['function']}() {where}".strip())
    lines.append(hop.station)
    lines += [f"  {key} = {shown(value)}" for key, value in hop.fields.items()]
    return lines


class Figure:
    """One run's lanes, from a height on."""

    def __init__(self, run, index, top, line, palette):
        self.run = run
        self.index = index
        self.top = top
        self.line = line
        self.palette = palette
        self.trips = run.trips[:MOST]
        lanes = {id(hop.lane) for trip in self.trips for hop in trip.hops}
        self.lanes = [lane for lane in run.lanes if id(lane) in lanes]
        self.row = {id(lane): i for i, lane in enumerate(self.lanes)}
        self.bottom = top + len(self.lanes) * (LANE + GAP)
        self.at = {}
        self.boxes = []

    def middle(self, lane):
        return self.top + self.row[id(lane)] * (LANE + GAP) + LANE / 2

    def x(self, time):
        return self.line.x(time - self.run.zero)

    # ------------------------------------------------------------ lanes

    def band(self, lane):
        y = self.middle(lane) - LANE / 2
        fill, edge = self.palette.lane(self.run, lane)
        name = paint.fit(lane.name, LEFT - 50, 14.5, True)
        note = paint.fit(lane.note, LEFT - 50, 11.5)
        return element("g", paint.title([lane.name, lane.note])
                       + element("rect", x=10, y=y, width=WIDTH - 20,
                                 height=LANE, rx=6, fill=fill)
                       + element("rect", x=10, y=y, width=5, height=LANE,
                                 rx=2, fill=edge)
                       + paint.text(26, y + 30, name, 14.5, font_weight=600)
                       + paint.text(26, y + 48, note, 11.5, SOFT),
                       class_="lane")

    def bars(self):
        out = []
        for lane, start, end, words in self.run.bars:
            if id(lane) not in self.row:
                continue
            left, right = self.x(start), self.x(end)
            y = self.middle(lane) - LANE / 2
            took = timeline.words(end - start)
            out.append(element(
                "rect", paint.title([f"{words}, {took}"]), x=left - DOT - 3,
                y=y + 4, width=max(right - left, 2) + 2 * DOT + 6,
                height=LANE - 8, rx=5, fill="#d9dfe6"))
        return out

    def axis(self):
        y = self.top - 12
        out = []
        for start, end, left, right in self.line.at:
            out.append(element("line", x1=left, x2=max(right, left + 1), y1=y,
                               y2=y, stroke=SOFT, stroke_width=1.5))
        for x, time in timeline.ticks(self.line, 78):
            out.append(element("line", x1=x, x2=x, y1=y - 4, y2=y + 4,
                               stroke=SOFT, stroke_width=1.5))
            out.append(paint.text(x, y - 9, timeline.words(time), 12, INK,
                                  text_anchor="middle"))
        free = LEFT - 60
        for x, length in self.line.breaks():
            out.append(element("path", d=f"M{x - 5:.1f} {y + 6:.1f} l4 -12 "
                               f"M{x + 1:.1f} {y + 6:.1f} l4 -12",
                               stroke=SOFT, stroke_width=1.5, fill="none"))
            out.append(element("line", x1=x, x2=x, y1=self.top,
                               y2=self.bottom - GAP, stroke=FAINT,
                               stroke_width=1.5, stroke_dasharray="2 5"))
            words = f"+{timeline.words(length)}"
            half = paint.width(words, 11) / 2
            if x - half > free:
                out.append(paint.text(x, y - 26, words, 11, SOFT,
                                      text_anchor="middle",
                                      font_style="italic"))
                free = x + half + 6
        return out

    # ------------------------------------------------------------ hops

    def place(self):
        """Each dot where its time is; beside or below another that is there."""
        for hop in sorted((hop for trip in self.trips for hop in trip.hops),
                          key=lambda hop: (hop.time, hop.number)):
            self.at[id(hop)] = self.free(hop)

    def stays(self):
        """(lane, from, to, first hop) where a packet stays in a lane."""
        return [(before.lane, before.time, hop.time, before)
                for trip in self.trips
                for before, hop in zip(trip.hops, trip.hops[1:])
                if before.lane is hop.lane]

    def free(self, hop):
        """Beside the hop before it in the lane, and on nobody else's line."""
        x, middle = self.x(hop.time), self.middle(hop.lane)
        rows, taken = list(ROWS), set()
        for lane, start, end, first in self.stays():
            if lane is hop.lane and start <= hop.time <= end and \
                    id(first) in self.at and first is not hop:
                row = self.at[id(first)][1] - middle
                if end == hop.time and first.number + 1 == hop.number:
                    rows.sort(key=lambda one, row=row: one != row)
                elif start < hop.time < end:
                    taken.add(row)
        while True:
            for row in sorted(rows, key=lambda one: one in taken):
                y = middle + row
                if not any(abs(x - a) < 2 * DOT + 2 and abs(y - b) < 2 * DOT
                           for a, b in self.at.values()):
                    return x, y
            x += 4

    def link(self, trip):
        """From where the other trip was when this one began."""
        if not trip.link or trip.link[1] > len(self.trips):
            return ""
        first = trip.hops[0]
        before = [hop for hop in self.trips[trip.link[1] - 1].hops
                  if hop.time <= first.time]
        if not before or before[-1].lane is not first.lane:
            return ""
        (x1, y1), (x2, y2) = self.at[id(before[-1])], self.at[id(first)]
        if abs(x2 - x1) < 2 * DOT + 4:
            return ""
        return element("line", x1=x1 + DOT, y1=y1, x2=x2 - DOT, y2=y2,
                       stroke=color(trip), stroke_width=2,
                       stroke_dasharray="1 5", stroke_linecap="round")

    def arrow(self, trip, before, hop):
        (x1, y1), (x2, y2) = self.at[id(before)], self.at[id(hop)]
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1
        dx, dy = (x2 - x1) / length, (y2 - y1) / length
        end = DOT + 3.5
        if length < 2 * DOT + 5:
            return ""
        waits = before.station in ("vnic_queue", "netif_rx") or \
            hop.station == "vnic_wake"
        stroke = RED if hop.bad else color(trip)
        return element("line", x1=x1 + dx * DOT, y1=y1 + dy * DOT,
                       x2=x2 - dx * end, y2=y2 - dy * end, stroke=stroke,
                       stroke_width=2, stroke_dasharray="5 4" if waits else None,
                       marker_end=f"url(#head{stroke[1:]})", class_="arrow",
                       id=f"arrow-{self.index}-{hop.number}")

    def dot(self, trip, hop):
        x, y = self.at[id(hop)]
        fill = RED if hop.bad else color(trip)
        if hop.bad:
            shape = element("rect", x=x - DOT, y=y - DOT, width=2 * DOT,
                            height=2 * DOT, rx=3, fill=fill)
        else:
            shape = element("circle", cx=x, cy=y, r=DOT, fill=fill)
        ring = ""
        if hop is trip.last and trip.end in ("consumed", "taken", "swallowed"):
            ring = element("circle", cx=x, cy=y, r=DOT + 2.5, fill="none",
                           stroke=fill, stroke_width=1.5)
        number = str(hop.number)
        return element("g", paint.title(hover(self.run, hop)) + shape + ring
                       + paint.text(x, y + 4, number,
                                    11 if len(number) < 3 else 9.5, "#ffffff",
                                    text_anchor="middle", font_weight=700),
                       class_="hop", id=f"hop-{self.index}-{number}")

    def crossed(self, box):
        """Does an arrow go through it?"""
        left, top, right, bottom = box
        for trip in self.trips:
            for before, hop in zip(trip.hops, trip.hops[1:]):
                (x1, y1), (x2, y2) = self.at[id(before)], self.at[id(hop)]
                steps = int(max(abs(x2 - x1), abs(y2 - y1)) / 4) + 1
                for i in range(steps + 1):
                    x = x1 + (x2 - x1) * i / steps
                    y = y1 + (y2 - y1) * i / steps
                    if left <= x <= right and top <= y <= bottom:
                        return True
        return False

    def taken(self, box):
        left, top, right, bottom = box
        return left < LEFT - 18 or right > WIDTH - 14 or \
            any(left < x + DOT + 3 and right > x - DOT - 3 and
                top < y + DOT + 2 and bottom > y - DOT - 2
                for x, y in self.at.values()) or \
            any(left < r and right > l and top < b and bottom > t
                for l, t, r, b in self.boxes) or self.crossed(box)

    def label(self, trip, hop):
        """A word or two beside the dot, where nothing else is."""
        words = short(hop)
        if not words:
            return ""
        x, y = self.at[id(hop)]
        size, wide = 12, paint.width(words, 12)
        middle = self.middle(hop.lane)
        for left, base in ((x + DOT + 4, y + 4), (x - DOT - 4 - wide, y + 4),
                           (x - wide / 2, y + DOT + 13),
                           (x - wide / 2, y - DOT - 5),
                           (x + DOT, y - 9), (x + DOT, y + 17),
                           (x - DOT - wide, y - 9), (x - DOT - wide, y + 17)):
            box = (left - 2, base - 10, left + wide + 2, base + 3)
            if box[1] < middle - LANE / 2 or box[3] > middle + LANE / 2 or \
                    self.taken(box):
                continue
            self.boxes.append(box)
            return paint.text(left, base, words, size,
                              RED if hop.bad else color(trip), class_="word",
                              id=f"word-{self.index}-{hop.number}",
                              font_weight=600 if hop.bad else None)
        return ""

    def draw(self):
        self.place()
        out = [self.band(lane) for lane in self.lanes]
        out += self.bars() + self.axis()
        for trip in self.trips:
            out.append(self.link(trip))
            out += [self.arrow(trip, before, hop)
                    for before, hop in zip(trip.hops, trip.hops[1:])]
        for trip in self.trips:
            out += [self.label(trip, hop) for hop in trip.hops]
            out += [self.dot(trip, hop) for hop in trip.hops]
        return "".join(out)
