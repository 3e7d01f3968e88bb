# SPDX-License-Identifier: GPL-2.0
"""Who runs while an event is told: a softirq on a CPU, or a program's call."""

SOFTIRQS = {2: "NET_TX", 3: "NET_RX"}


class Softirq:
    def __init__(self, name, time, pid, serial):
        self.name = name
        self.time = time
        self.pid = pid
        self.serial = serial


class Call:
    """A system call that a program is in."""

    def __init__(self, name, time, cpu, fields, serial):
        self.name = name
        self.time = time
        self.cpu = cpu
        self.fields = fields
        self.serial = serial
        # Trips that have begun in it, or come to their end
        self.began = []
        self.ended = []

    @property
    def fd(self):
        return self.fields.get("fd", self.fields.get("in_fd"))


class Contexts:
    def __init__(self):
        self.softirqs = {}
        self.calls = {}
        self.done = []
        self.polls = []
        self.serial = 0

    def count(self):
        self.serial += 1
        return self.serial

    def softirq_entry(self, time, cpu, pid, fields):
        name = SOFTIRQS.get(fields.get("vec"))
        if name:
            self.softirqs[cpu] = Softirq(name, time, pid, self.count())

    def softirq_exit(self, time, cpu, fields):
        softirq = self.softirqs.get(cpu)
        if softirq and SOFTIRQS.get(fields.get("vec")) == softirq.name:
            del self.softirqs[cpu]
            self.done.append((cpu, softirq, time))

    def enter(self, time, cpu, pid, name, fields):
        self.calls[pid] = Call(name, time, cpu, fields, self.count())

    def leave(self, pid, name):
        call = self.calls.get(pid)
        if call and call.name == name:
            return self.calls.pop(pid)
        return None

    def call(self, pid, cpu):
        """The system call itself, not what a softirq does in its midst."""
        return None if cpu in self.softirqs else self.calls.get(pid)

    def key(self, pid, cpu):
        """The same for two events if nothing else can have come between."""
        softirq = self.softirqs.get(cpu)
        if softirq:
            return ("softirq", cpu, softirq.serial)
        call = self.calls.get(pid)
        return ("process", pid, call.serial if call else 0)

    def of(self, pid, cpu):
        """As a hop keeps it."""
        softirq = self.softirqs.get(cpu)
        if softirq:
            return ("softirq", softirq.name)
        call = self.calls.get(pid)
        return ("syscall", call.name, call.fd) if call else ()
