#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send frames: send.py DEV COUNT SIZE HEX

They begin with the bytes HEX, and zeros follow up to SIZE. That a driver drops one
is no error here.
"""
import errno
import socket
import sys

device, count, size, start = sys.argv[1:]
frame = bytes.fromhex(start).ljust(int(size), b"\0")
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as end:
    end.bind((device, 0))
    for _ in range(int(count)):
        try:
            end.send(frame)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
