# SPDX-License-Identifier: GPL-2.0
"""What things are called: network namespaces, their devices, programs."""
import ctypes
import os
import socket
import struct
import threading

RUN = "/run/netns"
CLONE_NEWNET = 0x40000000
NLM_F_REQUEST, NLM_F_DUMP, NLM_F_ACK = 1, 0x300, 4
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_GETLINK, RTM_NEWNSID, RTM_GETNSID = 16, 18, 88, 90
IFLA_IFNAME, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO, IFLA_LINK_NETNSID = \
    3, 5, 10, 18, 37
IFLA_INFO_KIND = 1
NETNSA_NSID, NETNSA_FD = 1, 3


def attributes(data):
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & 0x3fff] = data[at + 4:at + length]
        at += (length + 3) & ~3
    return found


def text(raw):
    return raw.split(b"\0", 1)[0].decode(errors="backslashreplace")


def number(raw):
    return struct.unpack("=i", raw[:4])[0]


def ask(sock, kind, flags, body):
    """The messages with which the kernel answers."""
    sock.send(struct.pack("=IHHII", 16 + len(body), kind,
                          NLM_F_REQUEST | flags, 1, 0) + body)
    while True:
        data, at = sock.recv(1 << 16), 0
        while at + 16 <= len(data):
            length, answer = struct.unpack_from("=IH", data, at)
            if answer in (NLMSG_DONE, NLMSG_ERROR) or length < 16:
                return
            yield answer, data[at + 16:at + length]
            at += (length + 3) & ~3
        if not flags & NLM_F_DUMP:
            return


def socket_in(file):
    """A netlink socket of the namespace; it belongs there whoever uses it. A
    thread goes in, for only it changes its namespace."""
    result = []

    def go():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file, CLONE_NEWNET) == 0:
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            sock.settimeout(2)
            sock.bind((0, 0))
            result.append(sock)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    return result[0] if result else None


def devices_of(sock):
    body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
    for answer, data in ask(sock, RTM_GETLINK, NLM_F_DUMP, body):
        if answer != RTM_NEWLINK:
            continue
        index = struct.unpack_from("=i", data, 4)[0]
        found = attributes(data[16:])
        info = attributes(found.get(IFLA_LINKINFO, b""))
        yield {"name": text(found.get(IFLA_IFNAME, b"")), "ifindex": index,
               "kind": text(info.get(IFLA_INFO_KIND, b"")),
               "master": number(found.get(IFLA_MASTER, bytes(4))),
               "link": number(found.get(IFLA_LINK, bytes(4))),
               "nsid": number(found[IFLA_LINK_NETNSID])
               if IFLA_LINK_NETNSID in found else None}


def nsid_of(sock, file):
    """By which number the socket's namespace knows the other one."""
    body = bytes(4) + struct.pack("=HHi", 8, NETNSA_FD, file)
    for answer, data in ask(sock, RTM_GETNSID, NLM_F_ACK, body):
        if answer == RTM_NEWNSID:
            found = attributes(data[4:])
            if NETNSA_NSID in found:
                return number(found[NETNSA_NSID])
    return -1


def inode(path):
    return os.stat(path).st_ino


def spaces():
    """{inode: (path, name)} of the namespaces that have a name or a process."""
    found = {}
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            path = f"/proc/{pid}/ns/net"
            try:
                found.setdefault(inode(path), (path, ""))
            except OSError:
                pass
    try:
        names = sorted(os.listdir(RUN))
    except OSError:
        names = []
    for name in names:
        try:
            found[inode(f"{RUN}/{name}")] = (f"{RUN}/{name}", name)
        except OSError:
            pass
    try:
        first = inode("/proc/1/ns/net")
        if not found[first][1]:
            found[first] = (found[first][0], "host")
    except (OSError, KeyError):
        pass
    return found


def peers(devices, sockets):
    """Say of each device where its other end is, if it has one."""
    by_index = {(device["netns"], device["ifindex"]): device
                for device in devices}
    for device in devices:
        device["peer"] = None
        # Not told where both ends have the same number.
        if not device["link"] and device["nsid"] is not None:
            device["link"] = device["ifindex"]
    numbers = {}
    for device in devices:
        here, link, nsid = device["netns"], device["link"], device["nsid"]
        there = here if nsid is None else None
        for other, (_, file) in sockets.items() if there is None else ():
            if (here, other) not in numbers:
                numbers[here, other] = nsid_of(sockets[here][0], file)
            if numbers[here, other] == nsid:
                there = other
        peer = by_index.get((there, link))
        if link and peer and peer["link"] == device["ifindex"] and \
                peer is not device:
            device["peer"] = [there, peer["name"]]


def network():
    """({inode: name}, [device]) of now. What goes away meanwhile is left out."""
    names, devices, sockets = {}, [], {}
    try:
        for space, (path, name) in spaces().items():
            names[space] = name
            try:
                file = os.open(path, os.O_RDONLY)
            except OSError:
                continue
            sock = socket_in(file)
            if not sock:
                os.close(file)
                continue
            sockets[space] = (sock, file)
            try:
                for device in devices_of(sock):
                    device["netns"] = space
                    devices.append(device)
            except OSError:
                pass
        try:
            peers(devices, sockets)
        except OSError:
            pass
    finally:
        for sock, file in sockets.values():
            sock.close()
            os.close(file)
    for device in devices:
        device.setdefault("peer", None)
        del device["link"], device["nsid"]
    return names, devices


def merge(before, after):
    """Both, the later one where they differ."""
    names = dict(before[0])
    names.update({space: name for space, name in after[0].items() if name})
    devices = {(device["netns"], device["name"]): device
               for device in before[1] + after[1]}
    return names, list(devices.values())


def status_of(pid):
    """(comm, tgid) of a process that is there, else (None, None)."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8",
                  errors="backslashreplace") as file:
            lines = dict(line.rstrip("\n").split(":\t", 1) for line in file
                         if ":\t" in line)
        return lines["Name"], int(lines["Tgid"])
    except (OSError, KeyError, ValueError):
        return None, None


def saved_comms(path):
    """{pid: comm} that the kernel remembers."""
    found = {}
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as file:
            for line in file:
                pid, _, comm = line.rstrip("\n").partition(" ")
                if pid.isdigit():
                    found[int(pid)] = comm
    except OSError:
        pass
    return found
