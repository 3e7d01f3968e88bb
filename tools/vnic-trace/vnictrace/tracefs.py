# SPDX-License-Identifier: GPL-2.0
"""A tracing instance of our own: its events, its buffers, its end."""
import os
import re

from . import Failure, probes, ring

TRACING = "/sys/kernel/tracing"
PREFIX = "vnic-trace."
NET = "vec == 2 || vec == 3"
# Those by which a program sends, receives, or waits for it.
SYSCALLS = ("read write readv writev sendto sendmsg sendmmsg recvfrom recvmsg "
            "recvmmsg ioctl connect shutdown close splice sendfile64 "
            "io_uring_enter").split()


class Wanted:
    """Events that belong together, and what is missing without them."""

    def __init__(self, names, without, condition="", needed=False):
        self.names = names
        self.without = without
        self.condition = condition
        self.needed = needed


def wanted(self_pid):
    mine = f"common_pid != {self_pid}"
    calls = [f"syscalls/sys_{way}_{call}" for call in SYSCALLS
             for way in ("enter", "exit")]
    return [
        Wanted(["net/net_dev_queue", "net/net_dev_start_xmit",
                "net/netif_receive_skb"],
               "the kernel has no events of the network core", needed=True),
        Wanted(["net/net_dev_xmit", "net/netif_rx",
                "net/napi_gro_receive_entry", "net/napi_gro_frags_entry"],
               "some ways into the stack are not seen"),
        Wanted(["skb/kfree_skb", "skb/consume_skb"],
               "nobody tells where a packet ends", needed=True),
        Wanted(["skb/skb_copy_datagram_iovec"],
               "a socket's program is not seen to take what it receives"),
        Wanted(["vnic/" + name for name in
                ("vnic_enter vnic_checked vnic_taken vnic_queue vnic_full "
                 "vnic_polled vnic_wake vnic_handover vnic_deliver vnic_xdp "
                 "vnic_drop").split()],
               "the vnic module is not loaded, or this kernel has no "
               "tracepoints in modules: only the kernel's own events"),
        Wanted(["napi/napi_poll"], "no NAPI polls are seen"),
        Wanted(["irq/softirq_entry", "irq/softirq_exit"],
               "softirqs are not seen", NET),
        Wanted(["sched/sched_process_fork", "sched/sched_process_exec"],
               "programs that have ended may have no name"),
        Wanted(calls, "system calls are not seen (CONFIG_FTRACE_SYSCALLS)",
               mine),
    ]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(path, text, more=0):
    # Not by open(), which seeks: these files do not like it.
    file = os.open(path, os.O_WRONLY | more)
    try:
        os.write(file, text.encode())
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(file)


def change_probes(text):
    write(TRACING + "/dynamic_events", text + "\n", os.O_APPEND)


def check():
    """There is a tracefs, and it is ours to write."""
    if os.geteuid():
        raise Failure("recording needs root: sudo vnic-trace run ... "
                      "(vnic-trace show does not)")
    if not os.path.isdir(TRACING + "/events"):
        raise Failure(f"there is no tracefs at {TRACING}: mount -t tracefs "
                      f"tracefs {TRACING} (a kernel without CONFIG_FTRACE has "
                      "none)")
    if not os.path.isdir(TRACING + "/instances"):
        raise Failure("this kernel has no tracing instances")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def remove_probes(group):
    try:
        lines = read(TRACING + "/dynamic_events").splitlines()
    except OSError:
        return
    for line in lines:
        found = re.match(rf"e:({re.escape(group)}/\w+)\b", line)
        if found:
            try:
                change_probes(f"-:{found[1]}")
            except OSError:
                pass


def remove(pid):
    """Instance and probes of the vnic-trace that was PID, in that order: a probe
    in use cannot go."""
    path = f"{TRACING}/instances/{PREFIX}{pid}"
    for name, value in (("tracing_on", "0"), ("events/enable", "0")):
        try:
            write(f"{path}/{name}", value)
        except OSError:
            pass
    try:
        os.rmdir(path)
    except OSError:
        pass
    remove_probes(f"vnictrace_{pid}")


def remove_stale():
    """What a vnic-trace that was killed has left."""
    for name in os.listdir(TRACING + "/instances"):
        if name.startswith(PREFIX) and name[len(PREFIX):].isdigit():
            pid = int(name[len(PREFIX):])
            if not alive(pid):
                remove(pid)


class Instance:
    def __init__(self, kilobytes):
        self.pid = os.getpid()
        self.path = f"{TRACING}/instances/{PREFIX}{self.pid}"
        self.group = f"vnictrace_{self.pid}"
        self.missing = []
        self.formats = {}
        remove_stale()
        try:
            os.mkdir(self.path)
        except OSError as error:
            raise Failure(f"no tracing instance can be made: {error.strerror}"
                          ) from None
        try:
            write(self.path + "/tracing_on", "0")
            # One clock for all CPUs; what comes first is kept.
            write(self.path + "/trace_clock", "mono")
            write(self.path + "/options/overwrite", "0")
            write(self.path + "/buffer_size_kb", str(kilobytes))
            self.enable()
            self.enable_probes()
        except OSError as error:
            self.close()
            raise Failure("tracing cannot be set up: "
                          f"{error.strerror} ({error.filename})") from None
        except BaseException:
            self.close()
            raise

    def close(self):
        remove(self.pid)

    def has(self, event):
        return os.path.exists(f"{self.path}/events/{event}/enable")

    def switch_on(self, event, condition):
        at = f"{self.path}/events/{event}"
        try:
            if condition:
                write(at + "/filter", condition)
            write(at + "/enable", "1")
            found = ring.Format(read(at + "/format"))
        except OSError:
            return False
        self.formats[found.id] = found
        return True

    def enable(self):
        for group in wanted(self.pid):
            lacking = [name for name in group.names
                       if not self.switch_on(name, group.condition)]
            if not lacking:
                continue
            if group.needed:
                raise Failure(f"{group.without}: there is no "
                              f"events/{lacking[0]}")
            if len(lacking) == len(group.names):
                self.missing.append(group.without)
            elif not lacking[0].startswith("syscalls/"):
                self.missing.append(f"{group.without}: no {', '.join(lacking)}")

    def enable_probes(self):
        try:
            wanted_probes = probes.definitions(self.group, self.has)
        except Failure as failure:
            self.missing.append(f"no headers of packets: {failure}")
            return
        for name, text in wanted_probes.items():
            try:
                change_probes(text)
            except OSError:
                self.missing.append("no headers of packets: this kernel takes "
                                    "no event probes (CONFIG_PROBE_EVENTS)")
                return
            if not self.switch_on(f"{self.group}/{name}", ""):
                self.missing.append("no headers of packets: event probes "
                                    "cannot be switched on")
                return

    def start(self):
        write(self.path + "/tracing_on", "1")

    def stop(self):
        write(self.path + "/tracing_on", "0")

    def cpus(self):
        names = os.listdir(self.path + "/per_cpu")
        return sorted(int(name[3:]) for name in names)

    def stats(self, cpu):
        found = {}
        for line in read(f"{self.path}/per_cpu/cpu{cpu}/stats").splitlines():
            name, _, value = line.partition(":")
            found[name] = value.strip()
        return found

    def entries(self):
        return sum(int(self.stats(cpu).get("entries", 0))
                   for cpu in self.cpus())

    def pages(self, cpu, size):
        file = os.open(f"{self.path}/per_cpu/cpu{cpu}/trace_pipe_raw",
                       os.O_RDONLY | os.O_NONBLOCK)
        try:
            while True:
                try:
                    page = os.read(file, size)
                except BlockingIOError:
                    return
                if not page:
                    return
                yield page
        finally:
            os.close(file)

    def events(self):
        """All events in the order of their time, and [cpu, how many] of those
        for which there was no room."""
        header = ring.Header(read(TRACING + "/events/header_page"))
        page = header.page
        size = f"{self.path}/buffer_subbuf_size_kb"
        if os.path.exists(size):
            page = max(page, int(read(size)) * 1024)
        found, lost = [], []
        for cpu in self.cpus():
            stats = self.stats(cpu)
            missed = int(stats.get("overrun", 0)) + \
                int(stats.get("dropped events", 0))
            seen = list(ring.events(self.pages(cpu, page), header,
                                    self.formats, cpu))
            if missed:
                lost.append({"cpu": cpu, "events": missed,
                             "after": seen[-1][0] if seen else 0})
            found += seen
        found.sort(key=lambda event: event[0])
        return found, lost


def kernel():
    return os.uname().release
