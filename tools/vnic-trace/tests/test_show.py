#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What is written: escaped, stable, and the same after a way through JSON."""
import html.parser
import json
import os
import re
import unittest
import xml.dom.minidom

from helper import HERE, Made, kept

from vnictrace import Failure, build, chrome, cli, compare, html as page, \
    jsonout, places, source, stations, svg, text, timeline

HOSTILE = ('</script><b>"&', "<a x='1'>\x01\u2028", "sp ace\n& <x>\"'")


def hostile():
    made = Made(names=HOSTILE[:2], comm=HOSTILE[2])
    record = made.send(0x10).free(0x10).over().record()
    record.head["namespaces"] = {100: "<red>&", 200: '"blue\x1b[31m'}
    record.head["command"] = ["sh", "-c", "</title><script>alert(1)</script>"]
    return build.build(record)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)


class Escaped(unittest.TestCase):
    def test_svg(self):
        root = xml.dom.minidom.parseString(svg.document([hostile()]))
        names = {node.tagName for node in root.getElementsByTagName("*")}
        self.assertFalse(names & {"b", "a", "x", "script"})
        words = [node.firstChild.data
                 for node in root.getElementsByTagName("text")]
        self.assertIn(HOSTILE[0], words)

    def test_html(self):
        out = page.document([hostile()])
        tags = Tags()
        tags.feed(out)
        self.assertEqual(tags.seen.count("script"), 2)
        self.assertFalse({"b", "x"} & set(tags.seen))
        found = re.search(r'<script type="application/json" id="data">(.*?)'
                          r'</script>', out, re.S)
        self.assertNotIn("<", found[1])
        self.assertEqual(json.loads(found[1])["runs"][0]["lanes"][0]["name"],
                         HOSTILE[2])

    def test_nothing_is_fetched(self):
        out = page.document([hostile()])
        self.assertFalse(re.search(r'(src|href)=|@import|url\((?!#)', out))
        self.assertEqual(set(re.findall(r"https?://[^\s\"'<]*", out)),
                         {"http://www.w3.org/2000/svg"})

    def test_text_has_no_control_characters(self):
        for one in (text.page(hostile()), text.normal(hostile())):
            self.assertTrue(all(c.isprintable() or c == "\n" for c in one))

    def test_json_and_chrome(self):
        json.loads(jsonout.document([hostile()]))
        json.loads(chrome.document([hostile()]))


class Written(unittest.TestCase):
    def runs(self):
        for name in ("ping.rec", "hub.rec", "full.rec", "tcp.rec"):
            yield build.build(kept(name)[0])

    def test_json_and_back(self):
        for run in self.runs():
            back, = jsonout.load(jsonout.document([run]), "j")
            self.assertEqual(text.page(back), text.page(run))
            self.assertEqual(jsonout.document([back]), jsonout.document([run]))
            xml.dom.minidom.parseString(svg.document([back]))

    def test_damaged_json(self):
        whole = jsonout.document([build.build(kept("ping.rec")[0])])
        for content in (whole[:-30], whole.replace('"hops"', '"hop"'),
                        '{"schema": "vnic-trace-1", "runs": []}',
                        '{"schema": "vnic-trace-9", "runs": [1]}',
                        '{"schema": "vnic-trace-1", "runs": [{}]}'):
            with self.assertRaises(Failure):
                jsonout.load(content, "j")

    def test_normal_text_is_stable(self):
        """The same packets at other times, by other processes, elsewhere."""
        def made(pid, cpu, base):
            one = Made()
            one.comms = {pid: "prog"}
            one.time = base * 7
            one.send(base, pid, cpu).free(base, pid, cpu).over(pid, cpu)
            return text.normal(one.run())
        self.assertEqual(made(1, 0, 0x10), made(4711, 3, 0xabcd0))

    def test_normal_text_has_no_numbers_that_change(self):
        out = text.normal(build.build(kept("ping.rec")[0]))
        self.assertNotRegex(out, r"0x|pid|ifindex|cpu|CPU|seq")

    def test_every_hop_is_drawn(self):
        for run in self.runs():
            out = svg.document([run])
            for trip in run.trips[:svg.MOST]:
                for hop in trip.hops:
                    self.assertIn(f'id="hop-0-{hop.number}"', out)

    def test_time_goes_right(self):
        for run in self.runs():
            line = svg.shared_line([run])
            xs = [line.x(hop.time - run.zero) for hop in
                  sorted(run.hops(), key=lambda hop: hop.time)]
            self.assertEqual(xs, sorted(xs))

    def test_pieces_are_to_scale(self):
        line = timeline.Timeline([0, 100, 300, 10 ** 6, 10 ** 6 + 50], 0, 1000)
        self.assertEqual(len(line.breaks()), 1)
        self.assertAlmostEqual((line.x(300) - line.x(100)) /
                               (line.x(100) - line.x(0)), 2)
        self.assertEqual(line.breaks()[0][1], 10 ** 6 - 300)

    def test_chrome_slices_do_not_overlap(self):
        for run in self.runs():
            last = {}
            for event in json.loads(chrome.document([run]))["traceEvents"]:
                if event["ph"] != "X" or event["tid"] == 0:
                    continue
                key = (event["pid"], event["tid"])
                self.assertGreaterEqual(event["ts"] + 1e-6, last.get(key, 0))
                last[key] = event["ts"] + event["dur"]

    def test_nothing_was_seen(self):
        run = Made().run()
        self.assertIn("no packet was seen", text.page(run))
        xml.dom.minidom.parseString(svg.document([run]))
        page.document([run])


class Compared(unittest.TestCase):
    def setUp(self):
        self.runs = [build.build(one) for one in kept("compare.rec")]

    def test_lined_up(self):
        pairs = compare.line_up(self.runs[0].trips[0], self.runs[1].trips[0])
        both = [a.station for a, b in pairs if a and b]
        self.assertEqual(both, ["syscall_enter", "net_dev_queue",
                                "net_dev_start_xmit", "netif_receive_skb",
                                "consume_skb"])
        alone = [b.station for a, b in pairs if not a]
        self.assertEqual(alone, ["vnic_handover", "vnic_queue", "vnic_polled",
                                 "vnic_deliver"])

    def test_text_and_picture(self):
        out = compare.text(self.runs, text.page)
        self.assertIn("=== veth\n", out)
        self.assertIn("=== both\n", out)
        picture = svg.document(self.runs)
        xml.dom.minidom.parseString(picture)
        self.assertIn('id="hop-1-1"', picture)

    def test_one_has_none(self):
        self.runs[0].trips = []
        compare.text(self.runs, text.page)
        xml.dom.minidom.parseString(svg.document(self.runs))


class Sources(unittest.TestCase):
    """What tells a station is where we say that it is."""

    def test_both_ways(self):
        found = {(call["function"], call["station"])
                 for call in source.read_tree(source.TREE)}
        self.assertEqual(found, places.everything())

    def test_each_line_is_that_call(self):
        for call in source.read_tree(source.TREE):
            path = os.path.join(source.TREE, os.path.basename(call["file"]))
            with open(path, encoding="utf-8") as file:
                line = file.read().splitlines()[call["line"] - 1]
            self.assertIn(f"vnic_trace({call['station']},", line)
            self.assertEqual(call["text"][call["line"] - call["from"]], line)

    def test_each_event_has_words(self):
        with open(os.path.join(source.TREE, "trace.h"),
                  encoding="utf-8") as file:
            names = re.findall(r"(?:TRACE_EVENT|DEFINE_EVENT)\("
                               r"(?:\w+, )?(vnic_\w+),", file.read())
        self.assertTrue(names)
        self.assertLessEqual(set(names), stations.known())

    def test_each_hop_of_ours_has_a_line(self):
        for name in ("ping.rec", "hub.rec", "full.rec"):
            for hop in build.build(kept(name)[0]).hops():
                if hop.station.startswith("vnic_"):
                    self.assertTrue(hop.source.get("line"), hop.station)


class Arguments(unittest.TestCase):
    def refused(self, *words):
        with self.assertRaises(Failure) as caught:
            cli.parse(words)
        return str(caught.exception)

    def test_refused(self):
        self.assertIn("first word", self.refused())
        self.assertIn("what?", self.refused("run"))
        self.assertIn("udp:PORT", self.refused("run", "--follow", "udp", "x"))
        self.assertIn("udp:PORT", self.refused("run", "--follow=udp:0", "x"))
        self.assertIn("--colour", self.refused("run", "--colour", "x"))
        self.assertIn("wants a value", self.refused("run", "--svg"))
        self.assertIn("two kinds", self.refused("run", "--compare", "a", "x"))
        self.assertIn("one RECORD", self.refused("show"))
        self.assertIn("only one", self.refused("show", "--svg", "-", "--text",
                                               "-", "r"))

    def test_taken(self):
        found = cli.parse(["run", "--follow", "tcp:80", "--svg=a", "--", "ls",
                           "--svg"])
        self.assertEqual(found.command, ["ls", "--svg"])
        self.assertEqual(found.follow, (6, 80))
        self.assertEqual(found.outputs, {"svg": "a"})
        self.assertEqual(cli.parse(["show", "r", "--svg", "a"]).outputs,
                         {"svg": "a"})

    def test_tests_are_here(self):
        self.assertTrue(os.path.exists(os.path.join(HERE, "ping.rec")))


if __name__ == "__main__":
    unittest.main()
