#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Attach to a device, have its packets in shared memory, say so, and stay.

rings.py tun|tap DEVICE

The character device is VNIC_DEV.
"""
import fcntl
import os
import signal
import struct
import sys

TUNSETIFF = 0x400454ca
VNIC_IOC_RING_SETUP = 0xc020f703
IFF_TUN = 0x0001
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
SIZE = 1 << 18


def main():
    mode, device = sys.argv[1:]
    flags = IFF_NO_PI | (IFF_TAP if mode == "tap" else IFF_TUN)
    file = os.open(os.environ.get("VNIC_DEV", "/dev/vnic"), os.O_RDWR)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", device.encode(), flags))
    fcntl.ioctl(file, VNIC_IOC_RING_SETUP, struct.pack("8I", SIZE, 0, *[0] * 6))
    print("ready", flush=True)
    signal.pause()


main()
