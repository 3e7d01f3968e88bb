# SPDX-License-Identifier: GPL-2.0
"""Records made by hand, and those that are kept beside the tests."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from vnictrace import build, record  # noqa: E402

RED, BLUE = 100, 200


def kept(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return record.load_all(file.read(), name)


class Made:
    """A record, event by event: each a microsecond after the one before."""

    def __init__(self, names=("v0", "v1"), comm="prog"):
        self.events = []
        self.time = 0
        self.names = names
        self.lost = []
        self.comms = {1: comm, 2: "other", 3: "reader"}
        self.kind = "vnveth"

    def add(self, event, pid=1, cpu=0, /, **fields):
        self.time += 1000
        self.events.append([self.time, cpu, pid, event, fields])
        return self

    def ours(self, event, skb, end=0, pid=1, cpu=0, **fields):
        return self.add("vnic_" + event, pid, cpu, name=self.names[end],
                        ifindex=end + 1, netns=(RED, BLUE)[end],
                        **{"queue": 0, "skbaddr": skb, "len": 60,
                           "protocol": 0x0800, **fields})

    def core(self, event, skb, end=0, pid=1, cpu=0, **fields):
        return self.add(event, pid, cpu, skbaddr=skb, name=self.names[end],
                        **{"len": 60, **fields})

    def free(self, skb, pid=1, cpu=0):
        return self.add("consume_skb", pid, cpu, skbaddr=skb)

    def send(self, skb, pid=1, cpu=0, **fields):
        """Out of a socket, across the pair, and to its end."""
        self.add("sys_enter_sendto", pid, cpu, fd=3)
        self.core("net_dev_queue", skb, 0, pid, cpu, **fields)
        self.core("net_dev_start_xmit", skb, 0, pid, cpu, **fields)
        self.ours("handover", skb, 0, pid, cpu, peer=self.names[1],
                  peer_ifindex=2, peer_netns=BLUE)
        self.ours("queue", skb, 1, pid, cpu, place_name="cell", place=3,
                  depth=0)
        self.add("softirq_entry", pid, cpu, vec=3)
        self.ours("polled", skb, 1, pid, cpu, place_name="cell", place=3,
                  depth=0)
        self.ours("deliver", skb, 1, pid, cpu, how_name="one", how=0)
        return self.core("netif_receive_skb", skb, 1, pid, cpu)

    def over(self, pid=1, cpu=0):
        self.add("softirq_exit", pid, cpu, vec=3)
        return self.add("sys_exit_sendto", pid, cpu, ret=60)

    def record(self):
        devices = [{"netns": space, "name": name, "ifindex": i + 1,
                    "kind": self.kind, "master": 0, "peer": None}
                   for i, (space, name) in enumerate(zip((RED, BLUE),
                                                         self.names))]
        head = {"vnic-trace": record.VERSION, "command": ["a", "command"],
                "kernel": "6.1", "cpus": 2, "status": 0, "lost": self.lost,
                "missing": [], "namespaces": {RED: "red", BLUE: "blue"},
                "devices": devices, "comms": self.comms, "groups": {}}
        return record.Record(head, self.events)

    def run(self, follow="all"):
        return build.build(self.record(), follow)
