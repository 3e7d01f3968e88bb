#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The end of a virtual machine that vhost-net serves, joined with a device.

exec_vhost.py FD VHOSTFD DEVICE_FD

FD is a socket that vhost-net takes for its back end, VHOSTFD is of
/dev/vhost-net, and DEVICE_FD is of a tap; all are inherited. What comes out of
one end goes into the other:

    FD <-- vhost-net --> rings in memory <-- this --> DEVICE_FD

As QEMU does, it asks FD whether its packets have virtio headers.
"""
import ctypes
import fcntl
import mmap
import os
import select
import struct
import sys

TUNGETIFF = 0x800454d2
TUNSETVNETHDRSZ = 0x400454d8
IFF_VNET_HDR = 0x4000

VHOST_GET_FEATURES = 0x8008af00
VHOST_SET_FEATURES = 0x4008af00
VHOST_SET_OWNER = 0xaf01
VHOST_SET_MEM_TABLE = 0x4008af03
VHOST_SET_VRING_NUM = 0x4008af10
VHOST_SET_VRING_ADDR = 0x4028af11
VHOST_SET_VRING_BASE = 0x4008af12
VHOST_SET_VRING_KICK = 0x4008af20
VHOST_SET_VRING_CALL = 0x4008af21
VHOST_NET_SET_BACKEND = 0x4008af30
VHOST_NET_F_VIRTIO_NET_HDR = 1 << 27
VIRTIO_F_VERSION_1 = 1 << 32

RECEIVE, SEND = 0, 1
SIZE = 64
HEADER = 12
BUFFER = 2048
RING = 4096
MEMORY = 2 * RING + 2 * SIZE * BUFFER

WRITE = 2       # a descriptor that is for the device to write to


class Ring:
    """A ring of virtio in split form, each descriptor with a buffer."""

    # Where its parts begin.
    AVAIL = SIZE * 16
    USED = 2048

    def __init__(self, memory, index, vhost):
        self.memory = memory
        self.index = index
        self.vhost = vhost
        self.base = index * RING
        # A number is written at once here, which struct does not promise.
        self.halves = memoryview(memory)[self.base:self.base + RING].cast("H")
        self.given = self.taken = 0
        self.kick = os.eventfd(0, os.EFD_CLOEXEC)
        self.call = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        for number in range(SIZE):
            self.describe(number, BUFFER)

    def buffer(self, number):
        """Where it is in memory."""
        return 2 * RING + (self.index * SIZE + number) * BUFFER

    def describe(self, number, length):
        struct.pack_into("QIHH", self.memory, self.base + number * 16,
                         self.buffer(number), length,
                         WRITE if self.index == RECEIVE else 0, 0)

    def begin(self, address, backend):
        """From here on vhost-net serves it."""
        fd = self.vhost
        base = address + self.base
        fcntl.ioctl(fd, VHOST_SET_VRING_NUM,
                    struct.pack("II", self.index, SIZE))
        fcntl.ioctl(fd, VHOST_SET_VRING_BASE, struct.pack("II", self.index, 0))
        fcntl.ioctl(fd, VHOST_SET_VRING_ADDR,
                    struct.pack("IIQQQQ", self.index, 0, base,
                                base + self.USED, base + self.AVAIL, 0))
        fcntl.ioctl(fd, VHOST_SET_VRING_KICK,
                    struct.pack("Ii", self.index, self.kick))
        fcntl.ioctl(fd, VHOST_SET_VRING_CALL,
                    struct.pack("Ii", self.index, self.call))
        fcntl.ioctl(fd, VHOST_NET_SET_BACKEND,
                    struct.pack("Ii", self.index, backend))

    def give(self, number):
        """Let vhost-net have this descriptor."""
        avail = self.AVAIL // 2
        self.halves[avail + 2 + self.given % SIZE] = number
        self.given += 1
        self.halves[avail + 1] = self.given & 0xffff
        os.eventfd_write(self.kick, 1)

    def take(self):
        """The descriptors that it is done with, and their lengths."""
        while self.halves[self.USED // 2 + 1] != self.taken & 0xffff:
            at = self.base + self.USED + 4 + self.taken % SIZE * 8
            self.taken += 1
            yield struct.unpack_from("II", self.memory, at)

    def calls(self):
        """Forget that it has called."""
        try:
            os.eventfd_read(self.call)
        except BlockingIOError:
            pass


def features(tap, vhost):
    """Headers are the socket's, or vhost-net makes them."""
    offered, = struct.unpack("Q", fcntl.ioctl(vhost, VHOST_GET_FEATURES,
                                              bytes(8)))
    wanted = VIRTIO_F_VERSION_1
    ifr = fcntl.ioctl(tap, TUNGETIFF, bytes(40))
    if struct.unpack_from("16xH", ifr)[0] & IFF_VNET_HDR:
        fcntl.ioctl(tap, TUNSETVNETHDRSZ, struct.pack("i", HEADER))
    else:
        wanted |= VHOST_NET_F_VIRTIO_NET_HDR
    if offered & wanted != wanted:
        sys.exit(f"exec_vhost.py: vhost-net has {offered:#x} only")
    fcntl.ioctl(vhost, VHOST_SET_FEATURES, struct.pack("Q", wanted))


def connect(tap, vhost):
    """Both rings, at work."""
    memory = mmap.mmap(-1, MEMORY)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(vhost, VHOST_SET_OWNER)
    features(tap, vhost)
    fcntl.ioctl(vhost, VHOST_SET_MEM_TABLE,
                struct.pack("IIQQQQ", 1, 0, 0, MEMORY, address, 0))
    rings = [Ring(memory, index, vhost) for index in (RECEIVE, SEND)]
    for ring in rings:
        ring.begin(address, tap)
    return memory, rings


def main():
    tap, vhost, device = map(int, sys.argv[1:])
    memory, (receive, send) = connect(tap, vhost)
    for number in range(SIZE):
        receive.give(number)
    free = list(range(SIZE))
    os.set_blocking(device, False)
    poll = select.poll()
    for fd in receive.call, send.call, device:
        poll.register(fd, select.POLLIN)
    print("at work", flush=True)
    while True:
        poll.poll()
        receive.calls()
        for number, length in receive.take():
            at = receive.buffer(number)
            os.write(device, memory[at + HEADER:at + length])
            receive.give(number)
        send.calls()
        free += [number for number, _ in send.take()]
        while free:
            try:
                frame = os.read(device, BUFFER - HEADER)
            except BlockingIOError:
                break
            number = free.pop()
            at = send.buffer(number)
            memory[at:at + HEADER + len(frame)] = bytes(HEADER) + frame
            send.describe(number, HEADER + len(frame))
            send.give(number)


main()
