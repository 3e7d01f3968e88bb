#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A vndummy loops back what is sent to some addresses: attribute 34, a list of
# them, which is replaced while packets are under way.
#
#    namespace A
#   frames to one, two, three
#     |      ^
#   d0 (vndummy): some come back

. "$(dirname "$0")/../lib.sh"
need_kind vndummy
need_tools ethtool python3
need_helpers newlink packets

ONE=020000000001
TWO=020000000002
REST=0200000000090800

setup()
{
	setup_ns A
	silence "$A"
	run "$NEWLINK" -n "$A" add vndummy name d0 info 32 01 "$@"
	run ip -n "$A" link set d0 up
}

only()
{
	run "$NEWLINK" -n "$A" set d0 kind vndummy info 34 "$1"
}

test_some()
{
	setup info 34 "$ONE$TWO"
	options "$A" d0 "32=01 34=$ONE$TWO"
	send "$A" d0 5 60 "$ONE$REST"
	send "$A" d0 4 60 "$TWO$REST"
	send "$A" d0 3 60 "020000000003$REST"
	counts "$A" d0 tx_packets=12 rx_packets=9 ip_rx_dropped=0
	sums "$A" d0
}

test_changed()
{
	setup
	options "$A" d0 "32=01"
	send "$A" d0 5 60 "$ONE$REST"
	counts "$A" d0 rx_packets=5
	only "$TWO"
	send "$A" d0 5 60 "$ONE$REST"
	send "$A" d0 2 60 "$TWO$REST"
	counts "$A" d0 rx_packets=7
	only ""
	options "$A" d0 "32=01"
	send "$A" d0 5 60 "$ONE$REST"
	counts "$A" d0 rx_packets=12 tx_packets=17
}

test_refused()
{
	local nine

	setup info 34 "$ONE"
	refused "EINVAL info: A list of MAC addresses has 6 bytes for each" \
		"$NEWLINK" -n "$A" set d0 kind vndummy info 34 "${TWO}02"
	printf -v nine "$TWO%.0s" 1 2 3 4 5 6 7 8 9
	refused "ERANGE info" \
		"$NEWLINK" -n "$A" set d0 kind vndummy info 34 "$nine"
	options "$A" d0 "32=01 34=$ONE"
	refused "" "$NEWLINK" -n "$A" add vndummy name d0 info 34 "$ONE"
	run "$NEWLINK" -n "$A" set d0 kind vndummy info 34 "${nine:12}"
}

# Each packet sees one list or the other, and none of them what was freed.
test_under_traffic()
{
	local flood i

	setup info 34 ffffffffffff
	start flood "$PACKETS" -n "$A" d0 0 200
	flood=$PID
	eventually 20 "d0 receives" more_than 100 "$A" d0 rx_packets
	for i in {1..60}; do
		only "$ONE$TWO"
		only "ffffffffffff$ONE"
		((i % 20)) || only ""
	done
	run kill "$flood"
	ended flood "$flood" 10
	run ip -n "$A" link del d0
}

# What is left of a list must not be more than what is in use.
test_leaks()
{
	setup_ns A
	for _ in {1..20}; do
		run "$NEWLINK" -n "$A" add vndummy name d0 info 34 "$ONE"
		only "$TWO"
		run ip -n "$A" link del d0
	done
}

subtests \
	some "only what is sent to these comes back" \
	changed "changed, and taken away" \
	refused "what is no list, and why" \
	under_traffic "replaced while packets look into it" \
	leaks "made and deleted"
