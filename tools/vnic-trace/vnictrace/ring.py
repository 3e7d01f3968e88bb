# SPDX-License-Identifier: GPL-2.0
"""The kernel's ring buffer, as per_cpu/cpuN/trace_pipe_raw gives it.

A page has a header (the time of its first event, the bytes that are used), then
events: a word with a type and the time since the one before, and the fields, which
lie where the event's "format" file says. Nothing is read by position.
"""
import re
import struct
import sys

LITTLE = sys.byteorder == "little"
ORDER = "<" if LITTLE else ">"
PADDING, EXTEND, STAMP = 29, 30, 31
COMMIT_MASK = (1 << 27) - 1
MISSED = 1 << 31
FIELD = re.compile(r"\s*field:(.*);\s*offset:(\d+);\s*size:(\d+);"
                   r"(?:\s*signed:(\d+);)?")
SYMBOLS = re.compile(r"__print_symbolic\(\s*\(?REC->(\w+)\)?\s*,(.*)")
SYMBOL = re.compile(r'\{\s*(-?\w+)\s*,\s*"([^"]*)"\s*\}')


class Field:
    """Where one field lies, and how to read it."""

    def __init__(self, declaration, offset, size, signed):
        self.name = re.sub(r"\[.*\]$", "", declaration.split()[-1])
        self.offset = offset
        self.size = size
        self.signed = signed
        self.far = "__data_loc" in declaration
        self.relative = "__rel_loc" in declaration
        self.text = "[" in declaration and "char" in declaration
        self.array = "[" in declaration

    def number(self, data, offset, size):
        order = "little" if LITTLE else "big"
        return int.from_bytes(data[offset:offset + size], order,
                              signed=self.signed)

    def read(self, data):
        start, size = self.offset, self.size
        if self.far or self.relative:
            where = int.from_bytes(data[start:start + 4],
                                   "little" if LITTLE else "big")
            if self.relative:
                where += start + 4
            start, size = where & 0xffff, where >> 16
        if self.text:
            raw = data[start:start + size].split(b"\0", 1)[0]
            return raw.decode(errors="backslashreplace")
        if self.array or size > 8:
            return data[start:start + size].hex()
        return self.number(data, start, size)


class Format:
    """One event's "format" file."""

    def __init__(self, text):
        self.fields = []
        self.symbols = {}
        self.id = None
        self.name = ""
        for line in text.splitlines():
            found = FIELD.match(line)
            if found:
                declaration, offset, size, signed = found.groups()
                self.fields.append(Field(declaration, int(offset), int(size),
                                         signed == "1"))
            elif line.startswith("ID:"):
                self.id = int(line[3:])
            elif line.startswith("name:"):
                self.name = line[5:].strip()
            elif line.startswith("print fmt:"):
                self.read_symbols(line)

    def read_symbols(self, line):
        for field, rest in SYMBOLS.findall(line):
            table = {}
            for value, word in SYMBOL.findall(rest):
                # A name that the kernel has not resolved stays a name.
                if re.fullmatch(r"-?\d+|0x[0-9a-f]+", value):
                    table[int(value, 0)] = word
            self.symbols[field] = table

    def read(self, data):
        fields = {}
        for field in self.fields:
            value = field.read(data)
            word = self.symbols.get(field.name, {}).get(value)
            if word:
                fields[field.name + "_name"] = word
            fields[field.name] = value
        return fields


class Header:
    """events/header_page: sizes differ between 32 and 64 bits."""

    def __init__(self, text):
        at = {}
        for line in text.splitlines():
            found = FIELD.match(line)
            if found:
                declaration, offset, size, _ = found.groups()
                at[declaration.split()[-1]] = (int(offset), int(size))
        self.commit, self.commit_size = at["commit"]
        self.data, room = at["data"]
        self.page = self.data + room


def word(page, offset):
    return struct.unpack_from(ORDER + "I", page, offset)[0]


def records(page, header):
    """(time, data) of each event of a page, then whether events are missing
    before it as the value of the generator."""
    time = struct.unpack_from(ORDER + "Q", page, 0)[0]
    commit = int.from_bytes(
        page[header.commit:header.commit + header.commit_size],
        "little" if LITTLE else "big")
    at = header.data
    end = min(at + (commit & COMMIT_MASK), len(page))
    while at + 4 <= end:
        first = word(page, at)
        kind, delta = (first & 31, first >> 5) if LITTLE else \
            (first >> 27, first & ((1 << 27) - 1))
        if kind == PADDING:
            if not delta or at + 8 > end:
                break
            time += delta
            at += 4 + word(page, at + 4)
            continue
        if kind in (EXTEND, STAMP):
            if at + 8 > end:
                break
            value = delta + (word(page, at + 4) << 27)
            # An absolute time has 59 bits; the upper ones are the page's.
            time = time + value if kind == EXTEND else \
                value | (time & ~((1 << 59) - 1))
            at += 8
            continue
        time += delta
        if kind:
            start, size = at + 4, kind * 4
        else:
            if at + 8 > end:
                break
            start, size = at + 8, word(page, at + 4) - 4
        if size < 0 or start + size > len(page):
            break
        yield time, page[start:start + size]
        at = start + size


def events(pages, header, formats, cpu):
    """[time, cpu, pid, name, fields] of each event of one CPU's pages."""
    for page in pages:
        if len(page) < header.data:
            continue
        for time, data in records(page, header):
            number = int.from_bytes(data[:2], "little" if LITTLE else "big")
            known = formats.get(number)
            if not known:
                continue
            fields = known.read(data)
            pid = fields.get("common_pid", 0)
            for name in [name for name in fields if name.startswith("common_")]:
                del fields[name]
            fields.pop("__syscall_nr", None)
            yield [time, cpu, pid, known.name, fields]
