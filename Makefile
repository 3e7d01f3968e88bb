# SPDX-License-Identifier: GPL-2.0
#
# One command for each wish; the work is done by the scripts in tools/. The
# kernel's build system reads Kbuild, not this.
#
## make            build vnic.ko against KDIR (default: the running kernel's
##                 build folder, else the newest one installed)
##                 V=1 shows commands, W=1 more warnings, C=2 runs sparse
## make demo       boot a guest and see every kind at work
## make shell      the same network in the guest, and a prompt
## make picture    one packet's trip in that network, as a page to step through:
##                 build/picture/ping.html; COMMAND="ip netns exec left ..."
##                 is another one's
## make lab        exercises for who learns: a list of them; N=3 prints the third and
##                 says whether this tree solves it; HINT=1, SOLUTION=1
## make check      check the source, run the tests in the guest
##                 TESTS="vnveth module" runs a part; static is the source's,
##                 TESTS=all has those of check-long too
## make check-long  those that make check leaves out, for it to be over in a quarter
##                 of an hour: more of what the drivers do, the kernel's own tests
##                 of veth and dummy, real programs and systems on top, memory
##                 and time, the exercises, a kind made anew
##                 KERNEL=6.12 (newest, debug, the folder of a built tree)
##                 is another kernel than the newest one installed
## make matrix     make check, and more of what the drivers do, on 6.1, on 6.12 and
##                 on the newest kernel in Debian's backports, and their table in
##                 README
## make check-debug  both on kernels that find errors of memory, locks and
##                 references, which are built first (a quarter of an hour each)
## make stress     everything at once and under traffic, with 2 and with 4
##                 processors; MINUTES=10, all together
## make mutants    plant faults in copies of the driver, and see which test finds
##                 each; MUTANTS="tag-lost tx-drops" some of them; KERNEL=uml
##                 is the quickest, and passes over what it has not
## make conformance  the part of make check that runs the kernel's own tests of
##                 tun, veth and dummy, on the in-tree kinds and on ours
## make fuzz       hostile programs against the module in a guest, until one of
##                 them finds something: MINUTES=10, SEED=N; REPLAY=FILE runs
##                 what was found; MUTANT=NAME plants a fault; KERNEL=K, and
##                 KERNEL=uml is user-mode Linux: fast, and with KASAN;
##                 FLAGS="--fresh ...": see tools/fuzz/run --help
## make bench      instructions for each packet, of the in-tree drivers and of
##                 ours, in a guest that counts them; KERNEL=6.12,
##                 WORKLOADS="write-* xdp-*" (tools/bench/goals.json has them),
##                 FLAGS="--rounds 3 ...": see tools/bench/run --help;
##                 tools/bench/profile WORKLOAD says where they are spent
## make bench-wall  the same by the clock, for machines that do not do much else
## make docs       the pages as HTML, with pictures of real packets, recorded in
##                 a guest: build/docs/index.html
## make tools      libvnic, vnic-exec, vnic-hub, vnic-pcap, plugins for ip:
##                 build/tools
## make install    module, header, udev rule, and the tools with their manual
##                 pages; DESTDIR, INSTALL_MOD_PATH
## make uninstall  remove them
## make module     build into OUT (build/RELEASE) only
## make clean      remove what was built
## make distclean  and what was fetched

MAKEFLAGS += --no-print-directory

# The running kernel's build folder if there is one, else the newest.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -1dv /lib/modules/*/build 2>/dev/null | tail -n 1))
export KDIR OUT V W C DESTDIR INSTALL_MOD_PATH

.PHONY: all
all:
	@tools/build --copy

.PHONY: module
module:
	@tools/build

.PHONY: tools
tools:
	@$(MAKE) -s -C tools OUTPUT=$(CURDIR)/build/tools

.PHONY: docs
docs:
	@tools/setup docs
	@tools/docs/build

.PHONY: install
install:
	@tools/install

.PHONY: uninstall
uninstall:
	@tools/install --remove

.PHONY: demo
demo:
	@tools/setup demo
	@tools/qemu/vm -- tools/demo

.PHONY: shell
shell:
	@tools/setup demo
	@$(MAKE) tools
	@tools/qemu/vm --terminal --timeout 0 -- tools/demo shell

.PHONY: picture
picture: export COMMAND := $(COMMAND)
picture:
	@tools/setup demo
	@$(MAKE) tools
	@tools/docs/picture

.PHONY: lab
lab:
	@tools/exercise $(N) $(if $(HINT),--hint $(HINT)) $(if $(SOLUTION),--solution)

.PHONY: check
check: export TESTS := $(TESTS)
check:
	@tools/check/run $(if $(KERNEL),--kernel "$(KERNEL)")

.PHONY: check-long
check-long:
	@TESTS=long tools/check/run $(if $(KERNEL),--kernel "$(KERNEL)")

.PHONY: check-debug
check-debug: export TESTS := $(TESTS)
check-debug:
	@tools/check/debug

.PHONY: matrix
matrix: export TESTS := $(TESTS)
matrix:
	@tools/check/matrix $(KERNELS)

.PHONY: stress
stress:
	@tools/check/stress "$(MINUTES)"

.PHONY: conformance
conformance:
	@TESTS="conformance conformance_links conformance_gro" tools/check/run

.PHONY: mutants
mutants:
	@tools/setup check $(if $(filter uml uml-smp debug kcsan,$(KERNEL)),debug)
	@tools/check/mutants $(if $(KERNEL),--kernel "$(KERNEL)") $(MUTANTS)

.PHONY: fuzz
fuzz:
	@tools/setup vm $(if $(filter uml uml-smp debug kcsan,$(KERNEL)),debug)
	@tools/fuzz/run $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(SEED),--seed $(SEED)) $(if $(REPLAY),--replay $(REPLAY)) \
		$(if $(MUTANT),--mutant $(MUTANT)) $(if $(KERNEL),--kernel $(KERNEL)) \
		$(FLAGS)

.PHONY: bench
bench:
	@tools/setup vm
	@set -f; tools/bench/run $(if $(KERNEL),--kernel "$(KERNEL)") $(FLAGS) $(WORKLOADS)

.PHONY: bench-wall
bench-wall:
	@tools/setup vm
	@set -f; tools/bench/run --wall $(if $(KERNEL),--kernel "$(KERNEL)") $(FLAGS) \
		$(WORKLOADS)

.PHONY: clean
clean:
	@rm -rf vnic.ko build/[0-9]* build/check build/selftests \
		build/kselftest build/conformance build/conformance_links \
		build/check-debug build/bench build/matrix build/mutants build/results build/tools \
		build/exercises build/lab build/skeleton \
		build/docs build/docs-api build/docs-pictures build/picture

.PHONY: distclean
distclean:
	@rm -rf vnic.ko build

.PHONY: help
help:
	@sed -n 's/^## \?//p' Makefile
