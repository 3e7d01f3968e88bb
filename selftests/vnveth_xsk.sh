#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: AF_XDP sockets, which see each frame as a copy.
#
#   namespace A              namespace B
#    AF_PACKET          AF_XDP, and its program
#       |                      |
#      v0 ======== pair ====== v1

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH"
need_tools ethtool
need_helpers frames newlink xdp xsk

pair()
{
	setup_ns A B
	silence "$A" "$B"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 txqueues "$1" \
		rxqueues "$1" peer name v1 netns "$B" txqueues "$1" \
		rxqueues "$1"
	run ip -n "$A" link set v0 up
	run ip -n "$B" link set v1 up
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
}

# sockets [OPTION...]: frames of several sizes, each way
sockets()
{
	local size out

	for size in 60 100 1514; do
		note "+ xsk $* $size"
		out=$("$XSK" "$@" "$A" v0 "$B" v1 200 $size 2>&1) || {
			[[ $out != *": socket" ]] ||
				skip "this kernel has no AF_XDP"
			fail "frames of $size bytes: $out"
		}
		note "$out"
	done
}

test_native()
{
	pair 1
	sockets
	counts "$B" v1 rx_queue_0_xdp_redirect=600 rx_queue_0_drops=0
	closes "$A" v0 "$B" v1
	# The socket has gone, and its program with it.
	run "$FRAMES" "$A" v0 "$B" v1 50 100
}

test_wakeup()
{
	pair 1
	sockets -w
	closes "$A" v0 "$B" v1
}

test_generic()
{
	pair 1
	sockets -g
	counts "$B" v1 rx_queue_0_xdp_redirect=0
	run "$FRAMES" "$A" v0 "$B" v1 50 100
}

# With GRO as well, and a program in front of what the socket sends
test_both()
{
	pair 1
	run ip netns exec "$B" ethtool -K v1 gro on
	run "$XDP" -n "$A" v0 verdict 2
	sockets
	closes "$A" v0 "$B" v1
}

# What does not come by the socket's queue is the stack's. All of it is one flow:
# which queue that has is found out first.
test_other_queue()
{
	local -A now
	local queue other

	pair 2
	run ip netns exec "$A" ethtool -L v0 tx 1
	run "$XDP" -n "$B" v1 verdict 2
	run "$FRAMES" "$A" v0 "$B" v1 10 100
	stats now "$B" v1
	queue=$((now[rx_queue_1_xdp_packets] > 0))
	other=$((1 - queue))
	run "$XDP" -n "$B" v1 none
	start xsk "$XSK" -q $other "$A" v0 "$B" v1 20 100
	counts "$B" v1 ip_rx_packets=26 rx_queue_${queue}_xdp_packets=26 \
		rx_queue_${queue}_xdp_redirect=0 \
		rx_queue_${other}_xdp_packets=0
	run kill "$PID"
	ended xsk "$PID" 10
	sockets -q $queue
	run ip netns exec "$A" ethtool -L v0 tx 2
	closes "$A" v0 "$B" v1
}

# The interface goes while a socket is at it.
test_gone()
{
	pair 1
	start xsk "$XSK" "$A" v0 "$B" v1 100000000 100
	receives 300 "$B" v1
	run ip -n "$B" link set v1 down
	run ip -n "$B" link set v1 up
	run ip -n "$B" link del v1
	ended xsk "$PID" 60
	((STATUS == 1 || STATUS == 2)) || fail "it ended with $STATUS"
}

subtests \
	native "native: received and sent byte for byte" \
	wakeup "woken when it is asked for" \
	generic "the same by generic XDP" \
	both "with GRO, and a program at the other end" \
	other_queue "another queue than the socket's" \
	gone "the interface goes"
