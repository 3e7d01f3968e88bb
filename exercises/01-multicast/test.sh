#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A vndummy counts what is sent to a group.
#
#    namespace A
#   frames to one, to a group, to all
#     |
#   d0 (vndummy) --> nowhere, or back

. "$(dirname "$0")/../lib.sh"
need_kind vndummy
need_tools ethtool python3
need_helpers newlink

ONE="0200000000010200000000020800"
GROUP="01005e0000010200000000020800"
ALL="ffffffffffff0200000000020800"

setup()
{
	setup_ns A
	silence "$A"
	setup_dummy "$A" "$@"
}

test_counted()
{
	setup
	counts "$A" d0 tx_multicast=0
	send "$A" d0 7 60 "$GROUP"
	counts "$A" d0 tx_multicast=7 tx_packets=7
}

test_others()
{
	setup
	send "$A" d0 5 60 "$ALL"
	send "$A" d0 3 60 "$ONE"
	send "$A" d0 2 60 "$GROUP"
	counts "$A" d0 tx_multicast=2 tx_packets=10
	sums "$A" d0
}

test_loopback()
{
	setup info 32 01
	send "$A" d0 4 60 "$GROUP"
	counts "$A" d0 tx_multicast=4 tx_packets=4
}

# Each has its own figure, and it is the sum that counts.
test_cpus()
{
	local cpu n=0

	setup
	for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		run taskset -pc "${cpu##*cpu}" "$BASHPID"
		send "$A" d0 10 60 "$GROUP"
		n=$((n + 10))
	done
	counts "$A" d0 tx_multicast=$n
}

test_two()
{
	setup
	run ip -n "$A" link add d1 type vndummy
	run ip -n "$A" link set d1 up
	send "$A" d0 3 60 "$GROUP"
	counts "$A" d0 tx_multicast=3
	counts "$A" d1 tx_multicast=0
}

subtests \
	counted "ethtool -S has tx_multicast" \
	others "broadcasts and what is for one do not count" \
	loopback "the same with loopback" \
	cpus "whichever CPU has sent" \
	two "each device by itself"
