# SPDX-License-Identifier: GPL-2.0
"""Time to x: to scale, but for breaks, where nothing happens for long."""

BREAK = 44
APART = 25


class Timeline:
    """Pieces of time that are to scale, all by the same one, with breaks
    between."""

    def __init__(self, times, left, right):
        self.left, self.right = left, right
        times = sorted(set(times)) or [0]
        self.pieces = self.choose(times)
        self.lay_out()

    def choose(self, times):
        """Break at the largest gaps: as many as make what is crowded least so,
        for each one costs room as well."""
        gaps = sorted({b - a for a, b in zip(times, times[1:])}, reverse=True)
        best, best_cost = [(times[0], times[-1])], None
        for limit in [None] + gaps:
            pieces = self.cut(times, limit)
            room = self.right - self.left - BREAK * (len(pieces) - 1)
            if room < (self.right - self.left) / 3:
                break
            cost = self.cost(times, pieces, room)
            if best_cost is None or cost < best_cost:
                best, best_cost = pieces, cost
        return best

    @staticmethod
    def cut(times, limit):
        pieces, start = [], times[0]
        for a, b in zip(times, times[1:]):
            if limit is not None and b - a >= limit:
                pieces.append((start, a))
                start = b
        return pieces + [(start, times[-1])]

    @staticmethod
    def cost(times, pieces, room):
        total = sum(end - start for start, end in pieces) or 1
        breaks = {end for _, end in pieces}
        crowded = sum(max(0.0, APART - (b - a) * room / total)
                      for a, b in zip(times, times[1:]) if a not in breaks)
        return crowded + 15 * len(pieces)

    def lay_out(self):
        total = sum(end - start for start, end in self.pieces)
        room = self.right - self.left - BREAK * (len(self.pieces) - 1)
        self.scale = room / total if total else 0
        self.at = []
        x = self.left
        for start, end in self.pieces:
            width = (end - start) * self.scale
            self.at.append((start, end, x, x + width))
            x += width + BREAK

    def x(self, time):
        for start, end, x, right in self.at:
            if time < start:
                # In a break, of which nothing is to scale.
                return x - BREAK / 2 if start != self.at[0][0] else x
            if time <= end:
                return x + (time - start) * self.scale
        return self.at[-1][3]

    def breaks(self):
        """(x of its middle, how long) of each."""
        return [(right + BREAK / 2, later[0] - end)
                for (_, end, _, right), later in zip(self.at, self.at[1:])]


def words(nanoseconds):
    """As long as a person would say it."""
    if nanoseconds < 1000:
        return f"{nanoseconds} ns"
    if nanoseconds < 100_000:
        return f"{nanoseconds / 1000:.1f} us"
    if nanoseconds < 1_000_000:
        return f"{nanoseconds / 1000:.0f} us"
    if nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1e6:.1f} ms"
    return f"{nanoseconds / 1e9:.1f} s"


def round_step(span):
    """1, 2 or 5 of some power of ten, near to span."""
    step = 1
    while step * 10 <= span:
        step *= 10
    for factor in (1, 2, 5, 10):
        if step * factor >= span:
            return step * factor
    return step * 10


def ticks(timeline, apart):
    """(x, time) of marks that are at least so far apart, each piece's first
    among them."""
    out = []
    step = round_step(apart / timeline.scale) if timeline.scale else 0
    for start, end, x, right in timeline.at:
        if not out or x - out[-1][0] >= apart:
            out.append((x, start))
        if step and right - x > 2 * apart:
            time = (start // step + 1) * step
            while time <= end:
                at = timeline.x(time)
                if at - out[-1][0] >= apart:
                    out.append((at, time))
                time += step
    return out
