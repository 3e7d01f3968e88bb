#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Open and attach tap devices, and let another program have the files.

handover.py run DEVICE... -- COMMAND [ARGUMENT]...

    COMMAND inherits them as descriptors 10, 11, ... in the order in which
    they are named.

handover.py qemu SOCKET DEVICE...

    A QEMU whose QMP monitor listens on SOCKET gets them over that socket, as
    libvirt does it, and plugs each into its hub 0.

DEVICE is NAME, or NAME:QUEUES for a device with several. The character device
is VNIC_DEV.
"""
import fcntl
import json
import os
import socket
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TAP = 0x0002
IFF_MULTI_QUEUE = 0x0100
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000

FIRST = 10


def attach(device):
    """The files of all queues of a device that is made if it is not there."""
    name, _, queues = device.partition(":")
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
    if queues:
        flags |= IFF_MULTI_QUEUE
    files = []
    for _ in range(int(queues or 1)):
        fd = os.open(os.environ.get("VNIC_DEV", "/dev/vnic"), os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                               flags))
        files.append(fd)
    return name, files


def run(devices, command):
    """Never returns."""
    files = [fd for device in devices for fd in attach(device)[1]]
    # Out of the way of the numbers that they will have.
    files = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST + len(files))
             for fd in files]
    for number, fd in enumerate(files, FIRST):
        os.dup2(fd, number)
    os.execvp(command[0], command)


class Monitor:
    """A connection to QEMU's monitor."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()
        self("qmp_capabilities")

    def __call__(self, verb, *files, **arguments):
        text = json.dumps({"execute": verb, "arguments": arguments}).encode()
        print(text.decode(), flush=True)
        socket.send_fds(self.socket, [text], files)
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(f"handover.py: {verb}: {answer['error']['desc']}")
            if "return" in answer:
                return
        sys.exit(f"handover.py: {verb}: QEMU went away")


def qemu(path, devices):
    """Everything here is closed when this ends; QEMU alone has the devices."""
    monitor = Monitor(path)
    for device in devices:
        name, files = attach(device)
        names = [f"{name}.{n}" for n in range(len(files))]
        for fdname, fd in zip(names, files):
            monitor("getfd", fd, fdname=fdname)
        which = {"fd": names[0]} if len(names) == 1 else \
                {"fds": ":".join(names)}
        monitor("netdev_add", type="tap", id=name, **which)
        monitor("netdev_add", type="hubport", id="port-" + name, hubid=0,
                netdev=name)


def main():
    verb, *rest = sys.argv[1:] or [""]
    if verb == "run" and "--" in rest[1:-1]:
        at = rest.index("--")
        run(rest[:at], rest[at + 1:])
    elif verb == "qemu" and len(rest) > 1:
        qemu(rest[0], rest[1:])
    else:
        sys.exit(__doc__)


main()
