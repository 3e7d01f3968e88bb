#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Ask how many packets wait.

waiting.py PACKETS [length N] send N read N [again]
waiting.py PACKETS wrong device|flags|reserved|address

PACKETS is the program that sends frames by an interface. Prints "COUNT of SIZE",
or the error.
"""
import errno
import fcntl
import os
import struct
import subprocess
import sys

TUNSETIFF = 0x400454ca
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
# _IOWR(0xF7, 6, 16 bytes): count, size, flags, reserved
VNIC_IOC_WAITING = 3 << 30 | 16 << 16 | 0xf7 << 8 | 7
WAITING = struct.Struct("=IIII")


def attached(file):
    fcntl.ioctl(file, TUNSETIFF,
                struct.pack("16sH22x", b"t0", IFF_TAP | IFF_NO_PI))


def ask(file):
    # What goes in for count and size does not matter.
    answer = fcntl.ioctl(file, VNIC_IOC_WAITING, WAITING.pack(77, 88, 0, 0))
    count, size, flags, reserved = WAITING.unpack(answer)
    if flags or reserved:
        sys.exit("flags and reserved have to stay 0")
    return count, size


def wrong(file, what):
    argument = {
        "device": WAITING.pack(0, 0, 0, 0),
        "flags": WAITING.pack(0, 0, 1, 0),
        "reserved": WAITING.pack(0, 0, 0, 1),
        "address": 1,
    }[what]
    if what != "device":
        attached(file)
    try:
        fcntl.ioctl(file, VNIC_IOC_WAITING, argument)
        print("no error")
    except OSError as error:
        print(errno.errorcode[error.errno])


def main():
    packets, *words = sys.argv[1:]
    file = os.open(os.environ.get("VNIC_DEV", "/dev/vnic"), os.O_RDWR)
    if words[0] == "wrong":
        wrong(file, words[1])
        return
    again = words[-1] == "again"
    if again:
        words.pop()
    numbers = dict(zip(words[::2], map(int, words[1::2])))
    attached(file)
    if "length" in numbers:
        subprocess.run(["ip", "link", "set", "t0", "txqueuelen",
                        str(numbers["length"])], check=True)
    subprocess.run(["ip", "link", "set", "t0", "up"], check=True)
    if numbers["send"]:
        subprocess.run([packets, "t0", str(numbers["send"]), "100"],
                       check=True, stdout=subprocess.DEVNULL)
    for _ in range(numbers["read"]):
        os.read(file, 2048)
    try:
        if again:
            ask(file)
        print("{} of {}".format(*ask(file)))
    except OSError as error:
        print(errno.errorcode[error.errno])


main()
