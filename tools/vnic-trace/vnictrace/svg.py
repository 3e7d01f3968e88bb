# SPDX-License-Identifier: GPL-2.0
"""The picture: what stands around the lanes, and the steps in words below."""
from . import compare, paint, timeline
from .figure import LEFT, MOST, RIGHT, WIDTH, Figure, Palette, color
from .model import LINKS
from .paint import INK, RED, SOFT, element


# ------------------------------------------------------------ around it

def trip_words(trip):
    words = trip.flow.words() if trip.flow else "a packet"
    words = f"{words}, {trip.length} bytes"
    if trip.link:
        words += f" ({LINKS[trip.link[0]]} {trip.link[1]})"
    return words


def legend(runs, palette, y):
    """Namespaces, then trips, in as many lines as they take."""
    out, x = [], 20

    def item(mark, words, fill=INK):
        nonlocal x, y
        words = paint.fit(words, WIDTH - 80, 12.5)
        room = 30 + paint.width(words, 12.5) + 22
        if x + room > WIDTH - 10:
            x, y = 20, y + 22
        out.append(mark(x, y))
        out.append(paint.text(x + 30, y, words, 12.5, fill))
        x += room

    for name, (fill, edge) in palette.of.items():
        item(lambda x, y, fill=fill, edge=edge: element(
            "rect", x=x, y=y - 11, width=22, height=14, rx=3, fill=fill,
            stroke=edge, stroke_width=1.5), f"namespace {name}")
    for words, dash in (("goes on", None), ("waits", "5 4")):
        item(lambda x, y, dash=dash: element(
            "line", x1=x, x2=x + 24, y1=y - 4, y2=y - 4, stroke=SOFT,
            stroke_width=2, stroke_dasharray=dash), words)
    if any(hop.bad for run in runs for hop in run.hops()):
        item(lambda x, y: element("rect", x=x + 4, y=y - 12, width=16,
                                  height=16, rx=3, fill=RED), "dropped")
    if len(runs) == 1 and len(runs[0].trips) <= 4:
        for trip in runs[0].trips:
            x, y = (20, y + 22)
            item(lambda x, y, trip=trip: element(
                "line", x1=x, x2=x + 22, y1=y - 4, y2=y - 4,
                stroke=color(trip), stroke_width=4),
                f"trip {trip.number}: {trip_words(trip)}")
    return out, y + 14


def notes(runs, y):
    out = []
    for run in runs:
        lines = list(run.notes)
        if len(run.trips) > MOST:
            lines.append(f"{len(run.trips) - MOST} more trips are not drawn; "
                         "the text has them")
        for note in lines:
            for line in paint.wrap(f"! {note}", WIDTH - 40, 12.5):
                out.append(paint.text(20, y, line, 12.5, "#8a3b00"))
                y += 18
    return out, y


def heads(runs):
    colors = {RED} | {color(trip) for run in runs for trip in run.trips[:MOST]}
    return element("defs", "".join(
        element("marker", element("path", d="M0 0 L8 4 L0 8 z", fill=one),
                id=f"head{one[1:]}", viewBox="0 0 8 8", refX=4, refY=4,
                markerWidth=9, markerHeight=9, orient="auto",
                markerUnits="userSpaceOnUse")
        for one in sorted(colors)))


def steps(run, y):
    """All hops below, in words; two columns where they fit."""
    rows = []
    for trip in run.trips[:MOST]:
        rows.append((trip, None))
        rows += [(trip, hop) for hop in trip.hops]
    columns = 2 if len(rows) > 8 else 1
    wide = (WIDTH - 40) / columns - 20
    laid = [step_row(run, trip, hop, wide) for trip, hop in rows]
    cut = split([height for _, height in laid],
                [hop is None for _, hop in rows]) if columns == 2 else len(rows)
    out, bottom = [], y
    for x, part in ((20, laid[:cut]), (20 + (WIDTH - 40) / 2 + 10, laid[cut:])):
        at = y
        for markup, height in part:
            out.append(element("g", markup,
                               transform=f"translate({x:.1f} {at:.1f})"))
            at += height
        bottom = max(bottom, at)
    return out, bottom + 6


def split(heights, heading):
    """Where the second column begins: about half, at a trip's heading if one is
    near, and never just below one."""
    half = sum(heights) / 2
    cut, best = len(heights), None
    for at in range(1, len(heights)):
        above = sum(heights[:at])
        cost = abs(above - half) - (60 if heading[at] else 0)
        if not heading[at - 1] and (best is None or cost < best):
            cut, best = at, cost
    return cut


def step_row(run, trip, hop, wide):
    """(markup, height), from 0 0 on."""
    if hop is None:
        lines = paint.wrap(f"Trip {trip.number}: {trip_words(trip)}",
                           wide / 1.08, 13)
        return "".join(paint.text(0, 22 + 18 * i, line, 13, color(trip),
                                  font_weight=700)
                       for i, line in enumerate(lines)), 14 + 18 * len(lines)
    fill = RED if hop.bad else color(trip)
    time = timeline.words(hop.time - run.zero)
    place = hop.lane.name
    room = wide - 218
    lines = paint.wrap(hop.words, room, 12.5)
    out = element("circle", cx=10, cy=10, r=9, fill=fill) + \
        paint.text(10, 14, hop.number, 10.5 if hop.number < 100 else 9,
                   "#ffffff", text_anchor="middle", font_weight=700) + \
        paint.text(84, 14.5, time, 12.5, SOFT, text_anchor="end") + \
        paint.text(96, 14.5, paint.fit(place, 114, 12.5), 12.5, SOFT)
    for i, line in enumerate(lines):
        out += paint.text(218, 14.5 + 16 * i, line, 12.5,
                          RED if hop.bad else INK)
    return out, 22 + 16 * (len(lines) - 1)


def shared_line(runs):
    times = [hop.time - run.zero for run in runs
             for trip in run.trips[:MOST] for hop in trip.hops]
    return timeline.Timeline(times, LEFT + 24, RIGHT - 34)


def picture(runs, with_steps=True):
    """(markup, height)"""
    palette = Palette(runs)
    out = [paint.text(20, 36, paint.fit(runs[0].title, WIDTH - 40, 20, True),
                      20, font_weight=700)]
    kernel = f"Linux {runs[0].kernel}; times from the first hop on, to scale " \
        "but for the breaks"
    out.append(paint.text(20, 58, paint.fit(kernel, WIDTH - 40, 12.5), 12.5,
                          SOFT))
    more, y = legend(runs, palette, 86)
    out += more
    more, y = notes(runs, y + 10)
    out += more
    line = shared_line(runs)
    for index, run in enumerate(runs):
        if not run.trips:
            continue
        y += 58
        if len(runs) > 1:
            name = run.kind or f"run {index + 1}"
            out.append(paint.text(20, y - 18, paint.fit(name, LEFT - 70, 17,
                                                        True), 17,
                                  font_weight=700))
        figure = Figure(run, index, y, line, palette)
        out.append(figure.draw())
        y = figure.bottom + 8
    if with_steps and len(runs) == 2:
        more, y = compare.rows(runs, y + 20, WIDTH)
        out += more
    elif with_steps and runs[0].trips:
        more, y = steps(runs[0], y + 14)
        out += more
    return heads(runs) + "".join(out), y + 14


def document(runs, with_steps=True):
    markup, height = picture(runs, with_steps)
    background = element("rect", width=WIDTH, height=f"{height:.0f}",
                         fill="#ffffff")
    # As wide as the window, but never so narrow that it cannot be read.
    style = f"width:100%;max-width:{WIDTH}px;min-width:760px;height:auto;" \
        f"font-family:{paint.FONT}"
    return element("svg", paint.title([runs[0].title]) + background + markup,
                   xmlns="http://www.w3.org/2000/svg",
                   viewBox=f"0 0 {WIDTH} {height:.0f}", width=WIDTH,
                   height=f"{height:.0f}", style=style, role="img") + "\n"
