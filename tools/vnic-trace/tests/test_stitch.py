#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Events become the right trips."""
import struct
import unittest

from helper import BLUE, RED, Made, kept

from vnictrace import build


def stations(trip):
    return " ".join(hop.station.replace("vnic_", "") for hop in trip.hops)


class Across(unittest.TestCase):
    def test_whole(self):
        run = Made().send(0x10).free(0x10).over().run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(
            stations(run.trips[0]),
            "syscall_enter net_dev_queue net_dev_start_xmit handover queue "
            "polled deliver netif_receive_skb consume_skb")
        self.assertEqual(run.trips[0].end, "consumed")
        self.assertEqual([hop.netns for hop in run.trips[0].hops[1:8]],
                         [RED, RED, RED, BLUE, BLUE, BLUE, BLUE])

    def test_address_used_again(self):
        made = Made().send(0x10).free(0x10).over()
        run = made.send(0x10).free(0x10).over().run()
        self.assertEqual([trip.end for trip in run.trips],
                         ["consumed", "consumed"])
        self.assertEqual(stations(run.trips[0]), stations(run.trips[1]))

    def test_address_used_again_after_an_end_that_is_not_told(self):
        made = Made().send(0x10).over()
        run = made.send(0x10).free(0x10).over().run()
        self.assertEqual([trip.end for trip in run.trips],
                         ["unseen", "consumed"])

    def test_address_used_again_at_once_in_another_namespace(self):
        """Within one softirq: the receiver frees without a word."""
        made = Made().send(0x10)
        made.core("net_dev_queue", 0x10, 0)
        run = made.free(0x10).over().run()
        self.assertEqual([stations(trip).split()[-1] for trip in run.trips],
                         ["netif_receive_skb", "consume_skb"])

    def test_address_used_again_at_once_the_other_way(self):
        """The same where names do not tell the namespaces apart: bytes do."""
        def tcp(source, target):
            ip = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0,
                        source, 10, 0, 0, target])
            data = ip + struct.pack(">HHIIHHI", source, target, 1, 1, 0x5010,
                                    0, 0)
            words = struct.unpack("=5Q", data)
            return {f"w{i}": word for i, word in enumerate(words)}
        made = Made(names=("eth0", "eth0"))
        for source, target in ((1, 2), (2, 1)):
            made.core("net_dev_queue", 0x10)
            made.core("net_dev_start_xmit", 0x10, protocol=0x0800,
                      network_offset=0)
            made.add("start", skbaddr=0x10, netns=100, **tcp(source, target))
            made.core("netif_receive_skb", 0x10)
        run = made.run()
        self.assertEqual(len(run.trips), 2)
        self.assertEqual(run.trips[1].link, ["answer", 1])
        self.assertEqual(stations(run.trips[0]), stations(run.trips[1]))

    def test_two_at_once(self):
        made = Made()
        made.core("net_dev_queue", 0x10)
        made.core("net_dev_queue", 0x20, pid=2, cpu=1)
        made.core("net_dev_start_xmit", 0x10)
        made.core("net_dev_start_xmit", 0x20, pid=2, cpu=1)
        run = made.free(0x20, 2, 1).free(0x10).run()
        for trip in run.trips:
            self.assertEqual(
                stations(trip),
                "net_dev_queue net_dev_start_xmit consume_skb")

    def test_answer_is_caused_by_what_is_received(self):
        made = Made().send(0x10)
        made.core("net_dev_queue", 0x20, 1).free(0x10)
        run = made.over().run()
        self.assertEqual(run.trips[1].link, ["cause", 1])

    def test_nothing_is_caused_once_the_softirq_is_over(self):
        made = Made().send(0x10).free(0x10).over()
        run = made.core("net_dev_queue", 0x20, 1).run()
        self.assertIsNone(run.trips[1].link)

    def test_forwarded_is_the_same_packet(self):
        made = Made().send(0x10)
        made.core("net_dev_queue", 0x10, 1)
        run = made.core("net_dev_start_xmit", 0x10, 1).free(0x10).run()
        self.assertEqual(len(run.trips), 1)

    def test_segments(self):
        made = Made().core("net_dev_queue", 0x10, len=3000)
        made.core("net_dev_start_xmit", 0x20, len=1500)
        made.core("net_dev_start_xmit", 0x30, len=1500)
        run = made.free(0x10).free(0x20).free(0x30).run()
        self.assertEqual([trip.link for trip in run.trips],
                         [None, ["segment", 1], ["segment", 1]])

    def test_drop(self):
        made = Made().send(0x10)
        made.add("kfree_skb", skbaddr=0x10, reason=3,
                 reason_name="NO_SOCKET", protocol=0x0800)
        run = made.over().run()
        self.assertEqual(run.trips[0].end, "dropped")
        self.assertTrue(run.trips[0].last.bad)
        self.assertIn("no socket wants it", run.trips[0].last.words)

    def test_no_drop_if_a_socket_has_a_copy(self):
        made = Made().send(0x10)
        made.add("kfree_skb", skbaddr=0x10, reason=3, reason_name="NO_SOCKET",
                 protocol=0x0800).over()
        made.add("sys_enter_recvmsg", 3, fd=4)
        made.add("skb_copy_datagram_iovec", 3, skbaddr=0x99, len=60)
        made.free(0x99, 3)
        run = made.add("sys_exit_recvmsg", 3, ret=60).run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(run.trips[0].end, "taken")
        self.assertFalse(any(hop.bad for hop in run.hops()))
        self.assertEqual(run.trips[0].last.words, "recvmsg() returns 60")

    def test_both_ends_count_one_loss(self):
        made = Made()
        made.core("net_dev_start_xmit", 0x10)
        made.ours("drop", 0x10, counter="tx_drop_too_big", reason=64)
        made.add("kfree_skb", skbaddr=0x10, reason=64, protocol=0)
        made.ours("drop", 0, 1, counter="rx_drop_too_big", reason=64, len=0)
        run = made.run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(run.trips[0].end, "dropped")


class Xdp(unittest.TestCase):
    def test_frames_become_packets(self):
        made = Made()
        for frame in (0xf1, 0xf2):
            made.ours("queue", frame, 1, place_name="rxq", depth=0)
        for frame in (0xf1, 0xf2):
            made.ours("polled", frame, 1, place_name="rxq", depth=0)
        for frame, packet in ((0xf1, 0x10), (0xf2, 0x20)):
            made.ours("xdp", frame, 1, act=2)
            made.ours("deliver", packet, 1, how_name="list")
        run = made.free(0x10).free(0x20).run()
        self.assertEqual(len(run.trips), 2)
        for trip in run.trips:
            self.assertEqual(stations(trip),
                             "queue polled xdp deliver consume_skb")

    def test_packet_is_made_anew_for_xdp(self):
        made = Made().ours("queue", 0x10, 1, place_name="rxq", depth=0)
        made.ours("polled", 0x10, 1, place_name="rxq", depth=0).free(0x10)
        made.ours("xdp", 0x20, 1, act=1)
        made.ours("drop", 0x20, 1, counter="rx_drop_xdp", reason=1)
        run = made.run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(run.trips[0].end, "dropped")

    def test_sent_on(self):
        made = Made().ours("queue", 0x10, 1, place_name="rxq", depth=0)
        made.ours("polled", 0x10, 1, place_name="rxq", depth=0)
        made.ours("xdp", 0x10, 1, act=3)
        made.ours("queue", 0xf1, 0, place_name="rxq", depth=0)
        run = made.run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(stations(run.trips[0]), "queue polled xdp queue")

    def test_before_it_is_a_packet(self):
        made = Made().add("sys_enter_write", fd=5)
        made.ours("enter", 0)
        made.ours("xdp", 0, act=1)
        made.ours("drop", 0, counter="rx_drop_xdp", reason=1)
        run = made.add("sys_exit_write", ret=60).run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(stations(run.trips[0]),
                         "syscall_enter enter xdp drop")


class Programs(unittest.TestCase):
    def read(self, made, skb, pid=3):
        made.add("sys_enter_read", pid, fd=7)
        made.ours("taken", skb, 0, pid)
        made.free(skb, pid)
        return made.add("sys_exit_read", pid, ret=60)

    def write(self, made, skb, pid=3, size=60):
        made.add("sys_enter_write", pid, fd=8)
        made.ours("enter", 0, 1, pid, len=size)
        made.ours("checked", skb, 1, pid, len=size)
        made.ours("deliver", skb, 1, pid, how_name="one", len=size)
        made.free(skb, pid)
        return made.add("sys_exit_write", pid, ret=size)

    def test_carried_on(self):
        made = Made().ours("queue", 0x10, place_name="ring", depth=0)
        self.read(made, 0x10)
        run = self.write(made, 0x20).run()
        self.assertEqual(len(run.trips), 1)
        self.assertEqual(
            stations(run.trips[0]),
            "queue taken consume_skb syscall_exit syscall_enter enter checked "
            "deliver consume_skb")

    def test_another_length_is_another_packet(self):
        made = Made().ours("queue", 0x10, place_name="ring", depth=0)
        self.read(made, 0x10)
        run = self.write(made, 0x20, size=80).run()
        self.assertEqual(len(run.trips), 2)

    def test_another_program_is_another_packet(self):
        made = Made().ours("queue", 0x10, place_name="ring", depth=0)
        self.read(made, 0x10)
        self.assertEqual(len(self.write(made, 0x20, pid=2).run().trips), 2)

    def test_batch(self):
        made = Made().add("sys_enter_ioctl", fd=5, cmd=1)
        for skb in (0x10, 0x20):
            made.ours("enter", 0)
            made.ours("checked", skb)
        for skb in (0x10, 0x20):
            made.ours("deliver", skb, how_name="list")
        made.add("sys_exit_ioctl", ret=2)
        run = made.free(0x10).free(0x20).run()
        self.assertEqual(len(run.trips), 2)
        for trip in run.trips:
            self.assertEqual(stations(trip), "syscall_enter enter checked "
                             "deliver consume_skb")

    def test_refused(self):
        made = Made().add("sys_enter_write", fd=5).ours("enter", 0, len=3)
        made.ours("drop", 0, counter="rx_drop_short", reason=1, len=0)
        run = made.add("sys_exit_write", ret=-22).run()
        self.assertEqual(run.trips[0].last.words, "write() fails with EINVAL")

    def test_refused_with_an_address(self):
        made = Made().add("sys_enter_write", fd=5).ours("enter", 0)
        made.ours("drop", 0x10, counter="rx_drop_protocol", reason=1)
        self.assertEqual(len(made.run().trips), 1)

    def test_reader_slept_before(self):
        made = Made().ours("queue", 0x10, place_name="ring", depth=0)
        made.ours("wake", 0, waiter_name="reader", waiter=0)
        made.ours("taken", 0x10, 0, 3).free(0x10, 3)
        run = made.add("sys_exit_read", 3, ret=60).run()
        self.assertEqual(stations(run.trips[0]),
                         "queue wake taken consume_skb syscall_exit")


class Kept(unittest.TestCase):
    """Recorded on a 6.1."""

    def test_ping(self):
        run = build.build(kept("ping.rec")[0])
        self.assertEqual([trip.end for trip in run.trips],
                         ["consumed", "taken"])
        self.assertEqual(run.trips[1].link, ["answer", 1])
        self.assertEqual(run.trips[0].flow.words(),
                         "ICMP echo request 10.77.0.1 -> 10.77.0.2 seq 1")
        self.assertEqual([lane.kind for lane in run.lanes],
                         ["program", "fd", "stack", "device", "softirq",
                          "device", "stack"])

    def test_through_a_program(self):
        run = build.build(kept("hub.rec")[0])
        self.assertEqual(len(run.trips), 2)
        for trip in run.trips:
            self.assertEqual(trip.stations().count("vnic_taken"), 1)
            self.assertEqual(trip.stations().count("vnic_enter"), 1)
        self.assertEqual({run.space(lane.netns) for lane in run.lanes
                          if lane.kind == "device"}, {"left", "right"})

    def test_read_from_a_socket(self):
        trip, = build.build(kept("udp.rec")[0], (17, 5000)).trips
        self.assertEqual(trip.end, "taken")
        self.assertEqual(trip.last.station, "syscall_exit")

    def test_follow(self):
        record = kept("tcp.rec")[0]
        self.assertTrue(build.build(record, (6, 5001)).trips)
        self.assertFalse(build.build(record, (6, 5002)).trips)
        self.assertFalse(build.build(record, "icmp").trips)


if __name__ == "__main__":
    unittest.main()
