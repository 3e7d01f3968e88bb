#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A program at the other end of a vntun or vntap that does one thing.

frame.py tun|tap DEVICE [napi] write SIZE | send COUNT SIZE | read | recv COUNT
                               | hold

The character device is VNIC_DEV; send and recv are batches. A frame is one of an
Ethernet type for experiments, a packet is IPv4 with nothing in it. Prints what
the call has said: bytes, entries, or the error; hold does nothing, for ever.
"""
import ctypes
import errno
import fcntl
import os
import signal
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TUN = 0x0001
IFF_TAP = 0x0002
IFF_NAPI = 0x0010
IFF_NO_PI = 0x1000
VNIC_IOC_SEND = 0x4020f701
VNIC_IOC_RECV = 0x4020f702
ENTRY = struct.Struct("=QIiHHI24x")


def packet(mode, size):
    head = b"\x45" if mode == "tun" else bytes([0xff] * 12) + b"\x88\xb5"
    return (head + bytes(size))[:size]


def batch(file, command, buffers):
    entries = ctypes.create_string_buffer(ENTRY.size * len(buffers))
    for i, buffer in enumerate(buffers):
        ENTRY.pack_into(entries, i * ENTRY.size, ctypes.addressof(buffer),
                        len(buffer), 0, 0, 0, 0)
    request = bytearray(struct.pack("=QIII12x", ctypes.addressof(entries),
                                    len(buffers), len(buffers), 0))
    return fcntl.ioctl(file, command, request)


def main():
    mode, device, *words = sys.argv[1:]
    flags = (IFF_TUN if mode == "tun" else IFF_TAP) | IFF_NO_PI
    if words[0] == "napi":
        flags |= IFF_NAPI
        words.pop(0)
    numbers = [int(word) for word in words[1:]]
    file = os.open(os.environ.get("VNIC_DEV", "/dev/vnic"), os.O_RDWR)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", device.encode(), flags))
    try:
        if words[0] == "write":
            print(os.write(file, packet(mode, *numbers)))
        elif words[0] == "read":
            print(len(os.read(file, 65536)))
        elif words[0] == "hold":
            signal.pause()
        elif words[0] == "send":
            frames = [ctypes.create_string_buffer(packet(mode, numbers[1]),
                                                  numbers[1])
                      for _ in range(numbers[0])]
            print(batch(file, VNIC_IOC_SEND, frames))
        else:
            print(batch(file, VNIC_IOC_RECV,
                        [ctypes.create_string_buffer(2048)
                         for _ in range(numbers[0])]))
    except OSError as error:
        print(errno.errorcode[error.errno])


main()
