#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The ring buffer's pages, and records that are damaged."""
import io
import json
import struct
import sys
import unittest

from helper import Made, kept

from vnictrace import Failure, build, headers, probes, record, ring, text

HEADER = """\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;
"""
FORMAT = """\
name: some_event
ID: 7
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:1;
\tfield:int rc;\toffset:12;\tsize:4;\tsigned:1;
\tfield:char comm[8];\toffset:16;\tsize:8;\tsigned:1;
\tfield:u16 how;\toffset:24;\tsize:2;\tsigned:0;

print fmt: "%s", __get_str(name), __print_symbolic(REC->how, { 1, "one" }, \
{ VNIC_TWO, "two" }, { 3, "three" })
"""


def data():
    return struct.pack("=HxxiIi8sHxx", 7, 42, (6 << 16) | 28, -5, b"who\0zzzz",
                       3) + b"veth0\0xx"


def word(kind, delta):
    return struct.pack("=I", kind | delta << 5 if sys.byteorder == "little"
                       else kind << 27 | delta)


def event(delta, long=False):
    body = data()
    if long:
        return word(0, delta) + struct.pack("=I", len(body) + 4) + body
    return word(len(body) // 4, delta) + body


def page(*parts, start=1000, flags=0):
    body = b"".join(parts)
    return struct.pack("=QQ", start, len(body) | flags) + body + bytes(64)


class Pages(unittest.TestCase):
    def read(self, *pages):
        known = ring.Format(FORMAT)
        return list(ring.events(pages, ring.Header(HEADER), {7: known}, 1))

    def test_fields_by_name(self):
        (time, cpu, pid, name, fields), = self.read(page(event(5)))
        self.assertEqual((time, cpu, pid, name), (1005, 1, 42, "some_event"))
        self.assertEqual(fields, {"name": "veth0", "rc": -5, "comm": "who",
                                  "how": 3, "how_name": "three"})

    def test_times(self):
        found = self.read(page(
            event(5), word(ring.EXTEND, 3) + struct.pack("=I", 1), event(1),
            word(ring.PADDING, 2) + struct.pack("=I", 8) + bytes(4),
            event(1, True), word(ring.STAMP, 9) + struct.pack("=I", 0),
            event(1)))
        self.assertEqual([one[0] for one in found],
                         [1005, 1009 + (1 << 27), 1012 + (1 << 27), 10])

    def test_flags_of_the_header_are_no_length(self):
        old = page(event(1), flags=1 << 31)[:-64] + event(1) + bytes(64)
        self.assertEqual(len(self.read(old)), 1)

    def test_cut_short(self):
        whole = page(event(1), event(1))
        self.assertEqual(len(self.read(whole[:16 + 36 + 20])), 1)
        self.assertEqual(self.read(whole[:9]), [])
        self.assertEqual(self.read(page(word(0, 1))), [])

    def test_unknown_events_are_passed_over(self):
        known = ring.Format(FORMAT)
        self.assertEqual(list(ring.events(
            [page(event(1))], ring.Header(HEADER), {8: known}, 0)), [])


class Btf(unittest.TestCase):
    def blob(self, kind=probes.STRUCT):
        names = b"\0sk_buff\0next\0data\0"
        types = struct.pack("=III", 1, kind << 24 | 2, 16)
        types += struct.pack("=III", 9, 0, 0) + struct.pack("=III", 14, 0, 64)
        return struct.pack("=HBBIIIII", 0xeb9f, 1, 0, 24, 0, len(types),
                           len(types), len(names)) + types + names

    def test_found(self):
        self.assertEqual(probes.offset_of(self.blob(), "sk_buff", "data"), [8])

    def test_not_found(self):
        for content in (self.blob(kind=5), self.blob()[:10], b"x" * 80):
            with self.assertRaises(Failure):
                probes.offset_of(content, "sk_buff", "data")
        with self.assertRaises(Failure):
            probes.offset_of(self.blob(), "sk_buff", "tail")


class Headers(unittest.TestCase):
    IP = bytes.fromhex("4500001c00000000401100000a0000010a000002")

    def test_udp(self):
        flow = headers.parse(self.IP + bytes.fromhex("13881389"), 0x0800, 0)
        self.assertEqual(flow.words(), "UDP 10.0.0.1:5000 -> 10.0.0.2:5001")
        self.assertTrue(flow.matches((17, 5001)))
        self.assertFalse(flow.matches((6, 5001)))

    def test_answers(self):
        one = headers.Flow("UDP", 17, ("a", "b"), (1, 2))
        self.assertTrue(headers.Flow("UDP", 17, ("b", "a"), (2, 1))
                        .answers(one))
        self.assertFalse(headers.Flow("UDP", 17, ("b", "a"), (3, 1))
                         .answers(one))

    def test_nonsense_is_no_packet(self):
        for length in range(0, 56):
            for byte in (0, 0x45, 0x60, 0xff):
                headers.parse(bytes([byte]) * length, 0, None)
                headers.parse(bytes([byte]) * length, 0x0800, 14)
        self.assertIsNone(headers.parse(b"\xff" * 56, 0x0800, 0))


class Damaged(unittest.TestCase):
    def lines(self):
        file = io.StringIO()
        record.save(Made().send(0x10).free(0x10).over().record(), file)
        return file.getvalue().splitlines()

    def test_whole(self):
        found = record.load(self.lines(), "r")
        self.assertEqual(found.notes, [])
        self.assertEqual(len(build.build(found).trips), 1)

    def test_cut_short_anywhere(self):
        content = "\n".join(self.lines())
        head = len(self.lines()[0])
        for end in range(head, len(content) - 12, 61):
            found = record.load(content[:end].splitlines(), "r")
            self.assertIn("cut short", found.notes[0])
            self.assertIn("! the record is cut short",
                          text.page(build.build(found)))

    def test_no_record(self):
        for lines in ([], [""], ["hello"], ["[]"], ["{}"], ["1"],
                      ['{"vnic-trace": 99}'], ['{"vnic-trace": 1}'],
                      ['{"vnic-trace": 1, "namespaces": {"x": 1}}']):
            with self.assertRaises(Failure):
                record.load(lines, "r")

    def test_lost_events_are_named(self):
        made = Made().core("net_dev_queue", 0x10)
        made.lost = [{"cpu": 1, "events": 17, "after": 5}]
        run = made.run()
        self.assertIn("CPU 1: 17 events were lost", run.notes[0])
        self.assertIn("CPU 1: 17 events were lost", text.page(run))

    def test_what_is_lost_makes_no_nonsense(self):
        """Any events may be missing, and what is left is told."""
        whole = kept("ping.rec")[0].events
        for step in (2, 3, 5, 7):
            for first in range(step):
                found = kept("ping.rec")[0]
                found.events = whole[first::step]
                for trip in build.build(found).trips:
                    self.assertTrue(trip.hops)
                    times = [hop.time for hop in trip.hops]
                    self.assertEqual(times, sorted(times))

    def test_a_field_of_another_type(self):
        lines = self.lines()
        lines[3] = json.dumps([1, 2, 3, 4, 5])
        self.assertIn("cut short", record.load(lines, "r").notes[0])


if __name__ == "__main__":
    unittest.main()
