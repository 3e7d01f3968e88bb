# SPDX-License-Identifier: GPL-2.0
"""The line of our drivers that tells a station.

Found by reading: each call of vnic_trace() in drivers/*.c, by file, function and
station. An installed tool has what it needs of them in a file beside it, which
tools/install writes with "vnic-trace sources".
"""
import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "..", "..", "..", "drivers")
KEPT = os.path.join(HERE, "sources.json")
CONTEXT = 6
HEAD = re.compile(r"^[A-Za-z_].*?\b(\w+)\(")
CALL = re.compile(r"\bvnic_trace\((\w+),")


def calls(path):
    """{file, function, line, station, from, text} of each call in a file."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    function, name = "", os.path.basename(path)
    for at, line in enumerate(lines):
        head = HEAD.match(line)
        if head and not line.startswith(("#", "/*")):
            function = head[1]
        found = CALL.search(line)
        if found and line[:1] == "\t":
            first = max(0, at - CONTEXT)
            yield {"file": "drivers/" + name, "function": function,
                   "line": at + 1, "station": found[1], "from": first + 1,
                   "text": lines[first:at + CONTEXT + 1]}


def read_tree(folder):
    found = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".c"):
            found += calls(os.path.join(folder, name))
    return found


class Sources:
    def __init__(self, found):
        self.found = found

    @classmethod
    def here(cls):
        """Of the tree that this file is in, else what was kept of it."""
        if os.path.isdir(TREE):
            return cls(read_tree(TREE))
        try:
            with open(KEPT, encoding="utf-8") as file:
                return cls(json.load(file))
        except (OSError, ValueError):
            return cls([])

    def keep(self, file):
        json.dump(self.found, file)

    def of(self, function, station, which=0):
        """The call in this function, {} if there is none."""
        fits = [call for call in self.found if call["function"] == function
                and call["station"] == station]
        return fits[which] if which < len(fits) else {}
