#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Attach a queue for each COUNT, write COUNT packets on it, and stay.

queues.py tun|tap DEVICE COUNT...

The character device is VNIC_DEV. The packets are none that anybody takes: an
Ethernet type for experiments, or IPv4 with nothing in it.
"""
import fcntl
import os
import signal
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TUN = 0x0001
IFF_TAP = 0x0002
IFF_MULTI_QUEUE = 0x0100
IFF_NO_PI = 0x1000

PACKETS = {
    "tun": bytes([0x45]) + bytes(73),
    "tap": bytes([0xff] * 12) + b"\x88\xb5" + bytes(60),
}


def main():
    mode, device, *counts = sys.argv[1:]
    flags = IFF_TAP if mode == "tap" else IFF_TUN
    flags |= IFF_NO_PI | IFF_MULTI_QUEUE
    files = []
    for count in counts:
        file = os.open(os.environ.get("VNIC_DEV", "/dev/vnic"), os.O_RDWR)
        request = struct.pack("16sH22x", device.encode(), flags)
        fcntl.ioctl(file, TUNSETIFF, request)
        files.append((file, int(count)))
    for file, count in files:
        for _ in range(count):
            os.write(file, PACKETS[mode])
    signal.pause()


main()
