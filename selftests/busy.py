#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Receive datagrams, looking for them in the driver instead of sleeping.

busy.py PORT COUNT

Prints "ready", and "napi N" when COUNT of them have come: the number of the
NAPI instance by which the last one did, 0 if by none.
"""
import socket
import sys

SO_BUSY_POLL = 46
SO_INCOMING_NAPI_ID = 56


def main():
    port, count = map(int, sys.argv[1:])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, 2000)
        sock.settimeout(300)
        sock.bind(("", port))
        print("ready", flush=True)
        for _ in range(count):
            sock.recv(65536)
        print("napi", sock.getsockopt(socket.SOL_SOCKET, SO_INCOMING_NAPI_ID))


main()
