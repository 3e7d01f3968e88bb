# SPDX-License-Identifier: GPL-2.0
"""Run a command and record; keep a record in a file, and read it again.

A record is text: a line of JSON about the whole, one for each event (time in ns,
CPU, process, name, fields), and one at the end, by which a file that was cut short
is known.
"""
import json
import os
import signal
import time

from . import Failure, names, tracefs

VERSION = 1
KILOBYTES = 4096
# How long packets may be on their way after the command has ended, and how
# long it has to be quiet to be over: seconds.
GRACE, QUIET = 1.0, 0.05


class Record:
    def __init__(self, head, events, notes=()):
        self.head = head
        self.events = events
        self.notes = list(notes)


def buffer_size():
    given = os.environ.get("VNIC_TRACE_BUFFER_KB", str(KILOBYTES))
    if not given.isdigit() or not 4 <= int(given) <= 1 << 20:
        raise Failure("VNIC_TRACE_BUFFER_KB is a number of KB for each CPU, "
                      f"4 to {1 << 20}, not '{given}'")
    return int(given)


class Child:
    """The command, held until everything listens."""

    def __init__(self, command, environment):
        ready, self.go = os.pipe()
        failed, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.go)
            os.close(failed)
            self.run(command, environment, ready, tell)
        os.close(ready)
        os.close(tell)
        self.failed = failed

    @staticmethod
    def run(command, environment, ready, tell):
        try:
            if not os.read(ready, 1):
                os._exit(125)
            os.environ.update(environment)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.execvp(command[0], command)
        except OSError as error:
            os.write(tell, str(error.errno).encode())
        finally:
            os._exit(127)

    def start(self):
        os.write(self.go, b"x")
        os.close(self.go)
        self.go = None
        answer = os.read(self.failed, 16)
        os.close(self.failed)
        return int(answer) if answer else 0

    def abandon(self):
        """It has not begun, and does not."""
        if self.go is not None:
            os.close(self.go)
            os.waitpid(self.pid, 0)

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return 128 - code if code < 0 else code


class Signals:
    """Ctrl-C is for the command, which has the terminal too. TERM and HUP are
    for us: the command ends, we go on to the end."""

    def __init__(self, child):
        self.child = child
        self.before = {}

    def __enter__(self):
        def pass_on(number, _):
            try:
                os.kill(self.child.pid, number)
            except ProcessLookupError:
                pass

        for number in (signal.SIGTERM, signal.SIGHUP):
            self.before[number] = signal.signal(number, pass_on)
        self.before[signal.SIGINT] = signal.signal(signal.SIGINT,
                                                   lambda *_: None)
        return self

    def __exit__(self, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)


def settle(instance):
    """Until nothing more happens, but not for ever."""
    end = time.monotonic() + GRACE
    before = -1
    while time.monotonic() < end:
        now = instance.entries()
        if now == before:
            return
        before = now
        time.sleep(QUIET)


def comms_of(events):
    """{pid: comm}, {thread: process} of all who are in the record."""
    pids = {event[2] for event in events}
    known = names.saved_comms(tracefs.TRACING + "/saved_cmdlines")
    comms = {pid: known[pid] for pid in pids if pid in known}
    groups = {}
    for _, _, pid, name, fields in events:
        if name == "sched_process_fork":
            comms.setdefault(fields["child_pid"], fields["child_comm"])
        elif name == "sched_process_exec":
            comms[pid] = os.path.basename(fields["filename"])[:15]
    for pid in pids:
        comm, group = names.status_of(pid)
        if comm:
            comms[pid] = comm
            groups[pid] = group
    comms[0] = "idle"
    return comms, groups


def run(command, environment=None):
    """Record while the command runs: (Record, exit status)."""
    tracefs.check()
    before = names.network()
    instance = tracefs.Instance(buffer_size())
    child = None
    try:
        child = Child(command, environment or {})
        with Signals(child):
            instance.start()
            error = child.start()
            status = child.wait()
            if error:
                raise Failure(f"{command[0]}: {os.strerror(error)}", 127)
            settle(instance)
            instance.stop()
            events, lost = instance.events()
        comms, groups = comms_of(events)
        spaces, devices = names.merge(before, names.network())
        head = {"vnic-trace": VERSION, "command": command,
                "kernel": tracefs.kernel(), "cpus": len(instance.cpus()),
                "status": status, "child": child.pid, "lost": lost,
                "missing": instance.missing, "namespaces": spaces,
                "devices": devices, "comms": comms, "groups": groups}
        return Record(head, events), status
    finally:
        if child:
            child.abandon()
        instance.close()


def save(record, file):
    json.dump(record.head, file)
    file.write("\n")
    for event in record.events:
        json.dump(event, file, separators=(",", ":"))
        file.write("\n")
    json.dump({"end": len(record.events)}, file)
    file.write("\n")


def is_event(event):
    return isinstance(event, list) and len(event) == 5 and \
        all(isinstance(part, int) for part in event[:3]) and \
        isinstance(event[3], str) and isinstance(event[4], dict)


def numbered(table):
    return {int(key): value for key, value in table.items()}


def load(lines, name):
    """A kept record. What is damaged at the end is left out, and said."""
    try:
        head = json.loads(lines[0])
        if not isinstance(head, dict) or head.get("vnic-trace") != VERSION:
            raise Failure(f"{name} is no record of vnic-trace {VERSION}")
        for table in ("namespaces", "comms", "groups"):
            head[table] = numbered(head[table])
        for table in ("command", "lost", "missing", "devices"):
            if not isinstance(head[table], list):
                raise TypeError
    except (ValueError, IndexError, KeyError, AttributeError, TypeError):
        raise Failure(f"{name} is no record of vnic-trace") from None
    events, notes, whole = [], [], False
    for line in lines[1:]:
        try:
            event = json.loads(line)
        except ValueError:
            break
        if isinstance(event, dict) and "end" in event:
            whole = event["end"] == len(events)
            break
        if not is_event(event):
            break
        events.append(event)
    if not whole:
        notes.append("the record is cut short: it ends after "
                     f"{len(events)} events")
    return Record(head, events, notes)


def load_all(content, name):
    """One record, or those of --compare one after the other."""
    lines = content.splitlines()
    starts = [at for at, line in enumerate(lines)
              if line.startswith('{"vnic-trace"')] or [0]
    return [load(lines[start:end], name)
            for start, end in zip(starts, starts[1:] + [len(lines)])]
