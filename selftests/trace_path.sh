#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The path of a packet through each of our drivers, as vnic-trace tells it, is the
# one that is written down in paths/. A change of it shows as a diff; where it is
# meant, VNIC_PATHS=DIR writes what is so now into DIR, and compares nothing.
#
#   namespace A                      namespace B
#     d0
#     v0 ============= pair ============= v1
#     t0 === program (frame.py)

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH" "$VNDUMMY"
need_tools ip ethtool python3 ping
need_helpers newlink packets xdp
need_programs vnic-trace
need_device

TRACING=/sys/kernel/tracing
[[ -d $TRACING/events ]] || mount -t tracefs tracefs "$TRACING" 2>/dev/null ||
	skip_all "this kernel has no tracefs"
[[ -d $TRACING/events/vnic ]] || skip_all "this kernel has no tracepoints"
[[ -d $TRACING/events/syscalls ]] ||
	skip_all "this kernel has no events of system calls"
[[ -e /sys/kernel/btf/vmlinux ]] ||
	skip_all "this kernel tells nothing of its types (BTF)"

setup()
{
	setup_ns A B
	silence "$A" "$B"
}

# What a kernel does once the packet is its own is not ours to tell.
ours_only()
{
	sed -E "s/vnic-$$-//g; /: (consume|kfree)_skb/d
		/^  end: (consumed|dropped|unseen)/d"
}

# path NAME COMMAND...: the packets' way while it runs is that of paths/NAME.txt
path()
{
	note "+ vnic-trace run --normalize -- ${*:2}"
	"$VNIC_TRACE" run --normalize --text "$WORK/$1.all" \
		--keep "$WORK/$1.rec" -- "${@:2}" >"$WORK/$1.said" 2>&1
	STATUS=$?
	note "$(cat "$WORK/$1.said")"
	[[ -s $WORK/$1.all ]] || fail "vnic-trace has recorded nothing"
	ours_only <"$WORK/$1.all" >"$WORK/$1.txt"
	if [[ ${VNIC_PATHS:-} ]]; then
		cp "$WORK/$1.txt" "$WORK/$1.rec" "$VNIC_PATHS"
		return
	fi
	compare "$1" && return
	note "all that was seen: $("$VNIC_TRACE" show "$WORK/$1.rec")"
	fail "the path of $1 is another one"
}

# compare NAME
compare()
{
	local difference

	difference=$(diff -u "$HERE/paths/$1.txt" "$WORK/$1.txt") && return
	note "$difference"
	return 1
}

# one NAME DEV [COUNT [SIZE]]: frames by a device in A
one()
{
	path "$1" "$PACKETS" -n "$A" "$2" "${3:-1}" "${4:-60}"
}

test_dummy()
{
	setup
	setup_dummy "$A"
	one vndummy d0
}

loopback()
{
	setup
	setup_dummy "$A" info 32 01
}

test_loopback()
{
	loopback
	one vndummy-loopback d0
}

test_dummy_drop()
{
	loopback
	xdp "$A" d0 verdict 1
	one vndummy-drop d0
}

# There and back again, in one system call of ping
test_pair()
{
	setup
	setup_pair "$A" "$B"
	keep_neighbours "$A" "$B"
	run ip netns exec "$A" ping -c 1 -W 10 10.77.0.2
	path vnveth ip netns exec "$A" ping -c 1 -W 10 10.77.0.2
	is "$STATUS" 0 "the status of ping"
}

test_pair_gro()
{
	setup
	setup_pair "$A" "$B"
	run ip netns exec "$B" ethtool -K v1 gro on
	one vnveth-gro v0
}

test_pair_drop()
{
	setup
	setup_pair "$A" "$B"
	run ip -n "$B" link set v1 mtu 100
	one vnveth-drop v0 1 500
}

# fd_device MODE: t0
fd_device()
{
	MODE=$1
	setup
	run ip -n "$A" link add t0 type "vn$MODE"
	run ip -n "$A" link set t0 up
}

# program NAME WORD...: frame.py does this while we look
program()
{
	path "$1" ip netns exec "$A" python3 "$HERE/frame.py" "$MODE" t0 \
		"${@:2}"
}

# sleeps PID: in read() or ioctl()
sleeps()
{
	[[ $(cat "/proc/$1/syscall" 2>/dev/null) =~ ^(0|16)\  ]]
}

# reader WORD...: frame.py has begun before we look
reader()
{
	start reader ip netns exec "$A" python3 "$HERE/frame.py" "$MODE" t0 "$@"
	READER=$PID
	eventually 20 "the program sleeps" sleeps "$READER"
}

test_tun_in()
{
	fd_device tun
	program vntun-write write 40
}

test_tun_out()
{
	fd_device tun
	run ip -n "$A" addr add 10.78.0.1/24 dev t0
	reader read
	path vntun-read ip netns exec "$A" ping -c 1 -W 1 10.78.0.2
	is "$STATUS" 1 "the status of ping, which nobody answers"
	ended reader "$READER" 10
}

test_tun_drop()
{
	fd_device tun
	program vntun-drop write 0
}

test_tap_in()
{
	fd_device tap
	program vntap-write write 60
}

test_tap_batch_in()
{
	fd_device tap
	program vntap-send send 2 60
}

test_tap_napi()
{
	fd_device tap
	program vntap-napi napi write 60
}

test_tap_out()
{
	fd_device tap
	reader read
	one vntap-read t0
	ended reader "$READER" 10
}

test_tap_batch_out()
{
	fd_device tap
	reader recv 1
	one vntap-recv t0
	ended reader "$READER" 10
}

test_tap_short()
{
	fd_device tap
	program vntap-short write 13
}

# Two frames that nobody reads, for a ring of one
test_tap_full()
{
	fd_device tap
	start holder ip netns exec "$A" python3 "$HERE/frame.py" tap t0 hold
	eventually 20 "t0 has a carrier" carrier_is "$A" t0 up
	run ip -n "$A" link set t0 txqueuelen 1
	one vntap-full t0 2
}

subtests \
	dummy "vndummy" \
	loopback "vndummy and back" \
	dummy_drop "vndummy and back: dropped by XDP" \
	pair "vnveth, there and back" \
	pair_gro "vnveth by GRO" \
	pair_drop "vnveth: dropped, too long" \
	tun_in "vntun, from a program" \
	tun_out "vntun, to a program" \
	tun_drop "vntun: dropped, with nothing in it" \
	tap_in "vntap, from a program" \
	tap_batch_in "vntap, from a program: a batch" \
	tap_napi "vntap, from a program: by NAPI" \
	tap_out "vntap, to a program" \
	tap_batch_out "vntap, to a program: a batch" \
	tap_short "vntap: dropped, too short" \
	tap_full "vntap: dropped, the ring is full"
