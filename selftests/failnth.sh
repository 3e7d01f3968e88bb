#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Every allocation failed once: of each operation that a user of the module can
# order, the first, the second, and so on, until it meets no more. What is then
# refused leaves all as it was, and the next try works.
#
#   failnth_* -- fail-nth = n --> rtnetlink, ethtool, /dev/vnic, insmod
#                                  |
#                                 the nth allocation of this call fails
#
# Only a kernel with fault injection can do it: make check-debug. The programs
# say which operations there are: failnth_links -l.

. "$(dirname "$0")/lib.sh"
need_kind vndummy vnveth vntun vntap
need_helpers failnth_links failnth_fd failnth_module
[[ -e /proc/self/fail-nth ]] ||
	skip_all "this kernel was built without fault injection"

# knob NAME VALUE: of each kind of fault that there is. Not a word about each,
# and also where the allocation might have waited for memory.
knob()
{
	local file

	for file in "$DEBUGFS"/fail*/"$1"; do
		[[ ! -e $file ]] || run sh -c "echo $2 >$file"
	done
}

# Its results are nested in ours.
program()
{
	note "+ $(basename "$1")"
	"$1" 2>&1 | sed -u 's/^/# /' >&3
	((PIPESTATUS[0] == 0)) || fail "$(basename "$1"): see above"
}

# With the module come its tracepoints, and where there is no memory for their
# fields the core warns. There it shall have it.
spare_tracepoints()
{
	local start end

	read -r start end < <(awk '
		$3 ~ /^event_define_fields([.]|$)/ { start = $1; next }
		start && $1 != start { print start, $1; exit }' /proc/kallsyms) ||
		return 0
	[[ -e $DEBUGFS/failslab/reject-start ]] ||
		skip "the core would warn: no fault injection by stack"
	knob reject-start "0x$start"
	knob reject-end "0x$end"
}

test_links() { program "$FAILNTH_LINKS"; }
test_fd() { program "$FAILNTH_FD"; }
test_module()
{
	spare_tracepoints
	defer knob reject-start 0
	defer knob reject-end 0
	program "$FAILNTH_MODULE"
}

DEBUGFS=/sys/kernel/debug
mountpoint -q "$DEBUGFS" || {
	mount -t debugfs none "$DEBUGFS" || skip_all "no debugfs"
	defer umount "$DEBUGFS"
}
knob verbose 0
knob ignore-gfp-wait N
knob ignore-gfp-highmem N
knob min-order 0
# It waits for every RCU grace period, of which there are thousands here; not on
# a kernel with one processor, which refuses this.
if { echo 1 >/sys/kernel/rcu_expedited; } 2>/dev/null; then
	defer sh -c 'echo 0 >/sys/kernel/rcu_expedited'
fi

subtests \
	links "netlink and ethtool, all kinds" \
	fd "the character device" \
	module "the module itself"
