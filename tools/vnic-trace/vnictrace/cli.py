# SPDX-License-Identifier: GPL-2.0
"""The command line."""
import importlib
import os
import re
import sys

from . import Failure

USAGE = """\
vnic-trace run [OPTION]... -- COMMAND [ARGUMENT]...
vnic-trace show [OPTION]... RECORD

run records the packets that are under way while COMMAND runs; show reads what
--keep or --json has written. Without an output: a page of text.

  --follow WHAT      icmp, udp:PORT, tcp:PORT or all (default)
  --text FILE        a page of text
  --svg FILE         a picture
  --html FILE        a page to step through
  --json FILE        all that is known
  --chrome FILE      for Perfetto, speedscope or chrome://tracing
  --normalize        the text without what differs from run to run
  --compare A,B      run: once for each kind, which stands for {} in COMMAND and
                     is in VNIC_KIND; the two are lined up
  --title TEXT       instead of the command
  --keep FILE        run: the record, for show

FILE - is standard output. See vnic-trace(8).
"""
OUTPUTS = ("text", "svg", "html", "json", "chrome")
VALUED = OUTPUTS + ("follow", "title", "keep", "compare")


def part(name):
    """A module when it is wanted: on a slow machine it is seconds to load all."""
    return importlib.import_module("." + name, __package__)


class Options:
    def __init__(self):
        self.verb = ""
        self.follow = "all"
        self.title = ""
        self.keep = ""
        self.kinds = []
        self.normalize = False
        self.outputs = {}
        self.command = []


def wrong(sentence):
    return Failure(f"{sentence} (vnic-trace --help)")


def follow_of(word):
    if word in ("all", "icmp"):
        return word
    found = re.fullmatch(r"(udp|tcp):(\d{1,5})", word)
    if not found or not 0 < int(found[2]) < 65536:
        raise wrong("--follow takes icmp, udp:PORT, tcp:PORT or all, not "
                    f"'{word}'")
    return ({"udp": 17, "tcp": 6}[found[1]], int(found[2]))


def kinds_of(word):
    kinds = word.split(",")
    if len(kinds) != 2 or not all(re.fullmatch(r"[\w-]+", kind)
                                  for kind in kinds) or kinds[0] == kinds[1]:
        raise wrong("--compare takes two kinds, as in veth,vnveth, not "
                    f"'{word}'")
    return kinds


def set_option(options, name, value):
    if name == "follow":
        options.follow = follow_of(value)
    elif name == "compare":
        options.kinds = kinds_of(value)
    elif name in ("title", "keep"):
        setattr(options, name, value)
    else:
        options.outputs[name] = value


def take_options(options, words):
    """Up to "--" or the first word that is none."""
    while words and words[0].startswith("--"):
        word = words.pop(0)
        if word == "--":
            return
        name, equals, value = word[2:].partition("=")
        if name == "normalize" and not equals:
            options.normalize = True
        elif name not in VALUED:
            raise wrong(f"there is no option --{name}")
        elif equals or words:
            set_option(options, name, value if equals else words.pop(0))
        else:
            raise wrong(f"--{name} wants a value")


def parse(words):
    options = Options()
    words = list(words)
    options.verb = words.pop(0) if words else ""
    if options.verb not in ("run", "show", "sources"):
        raise wrong("the first word is run or show")
    take_options(options, words)
    if options.verb == "show" and words:
        # Here nothing else can follow.
        record = words.pop(0)
        take_options(options, words)
        words.insert(0, record)
    options.command = words
    if options.verb == "run" and not words:
        raise wrong("run what? A command is wanted after --")
    if options.verb == "show":
        if len(words) != 1:
            raise wrong("show wants one RECORD")
        if options.keep or options.kinds:
            raise wrong("--keep and --compare belong to run")
    if list(options.outputs.values()).count("-") + (options.keep == "-") > 1:
        raise wrong("only one output can go to standard output")
    return options


class Output:
    """FILE, written whole or not at all."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        if self.name == "-":
            self.file = sys.stdout
            return self.file
        self.part = f"{self.name}.{os.getpid()}.part"
        try:
            # A device or a pipe is written to as it is.
            if os.path.exists(self.name) and not os.path.isfile(self.name):
                self.part = ""
            self.file = open(self.part or self.name, "w", encoding="utf-8",
                             errors="backslashreplace")
        except OSError as error:
            raise Failure(f"{self.name}: {error.strerror}") from None
        return self.file

    def __exit__(self, kind, *_):
        if self.name == "-":
            self.file.flush()
            return
        self.file.close()
        if self.part and kind:
            os.unlink(self.part)
        elif self.part:
            os.replace(self.part, self.name)


def pages(options, runs):
    text = part("text")
    page = text.normal if options.normalize else text.page
    if len(runs) == 1:
        return page(runs[0])
    return part("compare").text(runs, page)


def written(options, runs, kind):
    """What goes into the file."""
    if kind == "text":
        return pages(options, runs)
    return part("jsonout" if kind == "json" else kind).document(runs)


def show(options, runs):
    outputs = options.outputs
    if not outputs or (options.normalize and "text" not in outputs):
        outputs = {**outputs, "text": "-"}
    for kind, file in outputs.items():
        content = written(options, runs, kind)
        with Output(file) as out:
            out.write(content)


def build_all(options, records):
    build = part("build")
    return [build.build(found, options.follow, options.title)
            for found in records]


def record_one(options, kind):
    command = [word.replace("{}", kind) if kind else word
               for word in options.command]
    found, status = part("record").run(command, {"VNIC_KIND": kind} if kind else None)
    found.head["kind"] = kind
    return found, status


def run(options):
    records, status = [], 0
    for kind in options.kinds or [""]:
        found, this = record_one(options, kind)
        records.append(found)
        status = status or this
    if options.keep:
        with Output(options.keep) as file:
            for found in records:
                part("record").save(found, file)
    show(options, build_all(options, records))
    return status


def runs_of(options):
    """From a record or from our JSON."""
    name = options.command[0]
    try:
        with sys.stdin if name == "-" else open(name, encoding="utf-8") as file:
            content = file.read()
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Failure(f"{name} is no record of vnic-trace") from None
    if '"schema": "vnic-trace-' in content[:200]:
        jsonout = part("jsonout")
        runs = jsonout.load(content, name)
        jsonout.choose(runs, options.follow, options.title)
        return runs
    return build_all(options, part("record").load_all(content, name))


def main(words):
    if words and words[0] in ("--help", "-h", "help"):
        sys.stdout.write(USAGE)
        return 0
    try:
        options = parse(words)
        if options.verb == "sources":
            part("source").Sources.here().keep(sys.stdout)
            return 0
        if options.verb == "run":
            return run(options)
        show(options, runs_of(options))
        return 0
    except Failure as failure:
        sys.stderr.write(f"vnic-trace: {failure}\n")
        return failure.status
    except BrokenPipeError:
        # Who read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
