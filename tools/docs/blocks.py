# SPDX-License-Identifier: GPL-2.0
"""The blocks of a page that are run: commands, and trips of a packet.

A page has them as directives, so that what a reader sees is what was run:

    .. run:: NAME
       :says: a regular expression, one a line, all found in the output

       COMMAND

    .. trip:: NAME
       :title: words under the picture

       vnic-trace run --follow icmp -- COMMAND

tools/labs/stations runs them in the guest, pages.py shows them.
"""

import pathlib
import re
import shlex
import textwrap

HEAD = re.compile(r"\.\. (run|trip):: ([a-z0-9-]+)\Z")
OPTION = re.compile(r":([a-z]+):(?: (.*))?\Z")


class Mistake(Exception):
    """A page says what cannot be run."""


class Block:
    """One directive: kind, name, options and the commands."""

    def __init__(self, page, line, kind, name):
        self.page, self.line, self.kind, self.name = page, line, kind, name
        self.options = {}
        self.commands = []

    def where(self):
        return f"{self.page}:{self.line}"

    def says(self):
        """What its output has to match, a pattern each."""
        return [line for line in self.options.get("says", "").splitlines()
                if line]


def is_whole(command):
    """Or do quotes or a \\ at its end ask for more?"""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def commands(text):
    """The commands of a text, each as many lines as it needs."""
    found = []
    for line in text.splitlines():
        if found and not is_whole(found[-1]):
            found[-1] += "\n" + line
        elif line.strip():
            found.append(line)
    return found


def typed(command):
    """A command as a terminal shows it."""
    return "# " + command.replace("\n", "\n> ")


def body(lines, start):
    """The lines that belong to the directive before START."""
    end = start
    while end < len(lines) and (not lines[end].strip() or
                                lines[end].startswith("   ")):
        end += 1
    return textwrap.dedent("\n".join(lines[start:end])).splitlines()


def parse(block, lines):
    """Fill BLOCK in from its lines: options, an empty line, commands."""
    name = None
    for number, line in enumerate(lines):
        match = OPTION.match(line)
        if match:
            name = match.group(1)
            block.options[name] = match.group(2) or ""
        elif line.startswith(" ") and name:
            block.options[name] += "\n" + line.strip()
        else:
            block.commands = commands("\n".join(lines[number:]))
            break
    if not block.commands:
        raise Mistake(f"{block.where()}: {block.name} has no command")
    if block.kind == "trip" and len(block.commands) != 1:
        raise Mistake(f"{block.where()}: a trip is one command")


def of_page(path):
    """All blocks of a page, in order."""
    path = pathlib.Path(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines):
        match = HEAD.match(line)
        if match:
            block = Block(path.name, number + 1, *match.groups())
            parse(block, body(lines, number + 1))
            found.append(block)
    return found


def of_pages(paths):
    """The same of several; a name is there once, for it names files."""
    found, seen = [], {}
    for path in paths:
        for block in of_page(path):
            if block.name in seen:
                raise Mistake(f"{block.where()}: {block.name} is at "
                              f"{seen[block.name].where()} as well")
            seen[block.name] = block
            found.append(block)
    return found
