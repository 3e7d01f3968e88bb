# SPDX-License-Identifier: GPL-2.0
"""Two runs of one command over two kinds, lined up by their stations."""
import difflib

from . import paint, timeline
from .text import clean, micro


def step(run, hop):
    """What two kinds have in common: where, and the station."""
    return (hop.lane.kind, hop.station, hop.fields.get("name", "")
            if hop.station.startswith("syscall_") else "")


def line_up(one, other):
    """[(hop or None, hop or None)] of two trips."""
    left, right = one.hops if one else [], other.hops if other else []
    matcher = difflib.SequenceMatcher(
        a=[step(None, hop) for hop in left],
        b=[step(None, hop) for hop in right], autojunk=False)
    pairs = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            pairs += zip(left[a:b], right[c:d])
            continue
        pairs += [(hop, None) for hop in left[a:b]]
        pairs += [(None, hop) for hop in right[c:d]]
    return pairs


def trips(runs):
    """[(trip or None, trip or None)]: in the order in which they began."""
    one, other = runs[0].trips, runs[1].trips
    most = max(len(one), len(other))
    return list(zip(one + [None] * (most - len(one)),
                    other + [None] * (most - len(other))))


def side(trip, hop):
    if hop is None:
        return ""
    return f"{micro(hop.time - trip.start_time):>9}  {hop.words}"


def names(runs):
    return [run.kind or f"run {i}" for i, run in enumerate(runs, 1)]


def table(runs):
    left, right = names(runs)
    out = []
    for one, other in trips(runs):
        number = (one or other).number
        pairs = line_up(one, other)
        wide = max([len(side(one, a)) for a, _ in pairs] + [len(left) + 2])
        out += ["", f"trip {number}, lined up (us since its beginning)",
                f"  {left:{wide}}  |  {right}"]
        for a, b in pairs:
            mark = " " if a and b else "<" if a else ">"
            out.append(f"{mark} {side(one, a):{wide}}  |  {side(other, b)}"
                       .rstrip())
        ends = [micro(trip.hops[-1].time - trip.start_time) if trip else "-"
                for trip in (one, other)]
        out.append(f"  {ends[0] + ' us in all':{wide}}  |  {ends[1]} us in all")
    return "\n".join(clean(line) for line in out) + "\n"


def text(runs, page):
    """The pages one after the other, then the two lined up."""
    if len(runs) == 1:
        return page(runs[0])
    out = ""
    for name, run in zip(names(runs), runs):
        out += f"=== {clean(name)}\n{page(run)}\n"
    if page.__name__ == "page":
        out += "=== both\n" + table(runs)
    return out


def rows(runs, y, width):
    """The same for the picture: a row for each step, what one kind alone does in
    bold."""
    out, half = [], (width - 40) / 2
    for column, name in enumerate(names(runs)):
        out.append(paint.text(20 + column * half, y, name, 15,
                              font_weight=700))
    y += 10
    for one, other in trips(runs):
        trip = one or other
        out.append(paint.text(20, y + 18, f"Trip {trip.number}", 13,
                              paint.TRIPS[(trip.number - 1)
                                          % len(paint.TRIPS)],
                              font_weight=700))
        y += 28
        for pair in line_up(one, other):
            height = 0
            for column, (trip, hop) in enumerate(zip((one, other), pair)):
                if hop is None:
                    continue
                more, tall = cell(trip, hop, 20 + column * half, y, half,
                                  None in pair)
                out += more
                height = max(height, tall)
            y += height
    return out, y


def cell(trip, hop, x, y, wide, alone):
    fill = paint.RED if hop.bad else \
        paint.TRIPS[(trip.number - 1) % len(paint.TRIPS)]
    weight = 600 if alone else None
    time = timeline.words(hop.time - trip.start_time)
    out = [paint.element("circle", cx=x + 10, cy=y + 10, r=9.0, fill=fill),
           paint.text(x + 10, y + 14, hop.number,
                      10.5 if hop.number < 100 else 9, "#ffffff",
                      text_anchor="middle", font_weight=700),
           paint.text(x + 84, y + 14.5, time, 12.5, paint.SOFT,
                      text_anchor="end")]
    lines = paint.wrap(hop.words, (wide - 130) / (1.08 if alone else 1), 12.5)
    for i, line in enumerate(lines):
        out.append(paint.text(x + 98, y + 14.5 + 16 * i, line, 12.5,
                              font_weight=weight))
    return out, 22 + 16 * (len(lines) - 1)
