# SPDX-License-Identifier: GPL-2.0
"""One packet's way, from the kernel's tracepoints to a picture.

record   tracefs, probes, ring, names        what the kernel tells, in a file
stitch   context, headers, chain             events to trips
tell     stations, source, reasons           what a hop means, whose line it is
show     text, lanes, timeline, svg, html, jsonout, chrome
"""


class Failure(Exception):
    """What cannot be done, as a sentence for the user."""

    def __init__(self, sentence, status=125):
        super().__init__(sentence)
        self.status = status
