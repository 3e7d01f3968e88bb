#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: XDP, frame by frame. Every frame is known byte for byte, and every
# one is in the counters of both ends.
#
#   namespace A              namespace B               namespace C
#     frames            an XDP program on v1             frames
#       |                  |            |                  |
#      v0 ==== pair ==== v1 (4711)     w0 ==== pair ==== w1
#                                    (4712)
#
# (What redirects go to is named by these numbers.)

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH"
need_tools ethtool tc
need_helpers frames newlink packets xdp

# both_mtu MTU: of the pair v0, v1
both_mtu()
{
	run ip -n "$A" link set v0 mtu "$1"
	run ip -n "$B" link set v1 mtu "$1"
}

# ---------------------------------------------------- verdicts

# Kinds of frames: 0 aborted, 1 drop, 2 pass, 3 back, 4 redirect, 5 unknown.
test_verdicts()
{
	setup_xdp_chain
	takes_xdp "$A" v0
	takes_xdp "$C" w1
	xdp "$B" v1 kind 4712
	frames -k 6 -e 2 "$A" v0 "$B" v1 120 100
	frames -k 6 -e 3 "$A" v0 "$A" v0 120 100
	frames -k 6 -e 4 "$A" v0 "$C" w1 120 100
	counts "$B" v1 rx_queue_0_xdp_packets=360 rx_queue_0_xdp_drops=180 \
		rx_queue_0_xdp_redirect=60 rx_queue_0_xdp_tx=60 \
		rx_queue_0_xdp_tx_errors=0 rx_queue_0_drops=0 \
		tx_queue_0_xdp_xmit=0 ip_tx_packets=60
	counts "$A" v0 ip_tx_packets=360 ip_tx_dropped=0 ip_rx_packets=60 \
		tx_queue_0_xdp_xmit=0
	counts "$B" w0 tx_queue_0_xdp_xmit=60 tx_queue_0_xdp_xmit_errors=0 \
		ip_tx_packets=60 ip_rx_packets=0
	counts "$C" w1 ip_rx_packets=60
	[[ $VNVETH == vnveth ]] || return 0
	counts "$B" v1 rx_packets=180 rx_bytes=18000 ip_rx_dropped=180 \
		rx_drop_xdp=60 rx_drop_xdp_aborted=120 rx_drop_xdp_error=0 \
		rx_queue_0_packets=180 rx_queue_0_bytes=18000 \
		rx_queue_0_drop_xdp=60 rx_queue_0_drop_xdp_aborted=120 \
		tx_packets=60 tx_bytes=6000 ip_tx_dropped=0
	counts "$A" v0 tx_bytes=36000 rx_bytes=6000 ip_rx_dropped=0
	counts "$B" w0 tx_bytes=6000 ip_tx_dropped=0
	counts "$C" w1 rx_bytes=6000 ip_rx_dropped=0
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# The program is there before the device is up, and stays when it goes down.
test_down_and_up()
{
	setup_xdp_pair
	run ip -n "$B" link set v1 down
	xdp "$B" v1 verdict 1
	run ip -n "$B" link set v1 up
	eventually 5 "v1 has a carrier" carrier_is "$B" v1 up
	run "$PACKETS" -n "$A" v0 50 60
	counts "$B" v1 rx_queue_0_xdp_drops=50
	run ip -n "$B" link set v1 down
	run ip -n "$B" link set v1 up
	eventually 5 "v1 has a carrier again" carrier_is "$B" v1 up
	run "$PACKETS" -n "$A" v0 50 60
	counts "$B" v1 rx_queue_0_xdp_drops=100
	xdp "$B" v1 none
	frames "$A" v0 "$B" v1 50 60
	counts "$B" v1 rx_queue_0_xdp_drops=100
	closes "$A" v0 "$B" v1
}

# More sizes than fit into a page need a program that takes them.
test_sizes()
{
	local size

	setup_xdp_pair
	takes_xdp "$A" v0
	for size in 15 60 61 1513 1514; do
		xdp "$B" v1 verdict 2
		frames "$A" v0 "$B" v1 20 "$size"
		xdp "$B" v1 tx
		frames -s "$A" v0 "$A" v0 20 "$size"
	done
	xdp "$B" v1 none
	both_mtu 65521
	for size in 60 1514 3700 4096 4097 20000 65535; do
		xdp "$B" -f v1 verdict 2
		frames -w 4 "$A" v0 "$B" v1 20 "$size"
		xdp "$B" -f v1 tx
		frames -w 4 -s "$A" v0 "$A" v0 20 "$size"
	done
	closes "$A" v0 "$B" v1
}

# One end has a program of the core's own kind: nothing of ours is involved.
test_generic()
{
	setup_xdp_pair
	takes_xdp "$A" v0
	xdp "$B" -g v1 verdict 2
	frames "$A" v0 "$B" v1 50 100
	xdp "$B" -g v1 tx
	frames -s "$A" v0 "$A" v0 50 100
	counts "$B" v1 rx_queue_0_xdp_drops=0 rx_queue_0_xdp_tx=0
}

test_counted()
{
	local out

	setup_xdp_pair
	xdp "$B" v1 count 2
	frames "$A" v0 "$B" v1 100 1000
	frames "$A" v0 "$B" v1 100 60
	capture out "$XDP" -n "$B" v1 counted
	is "$out" "packets 200 bytes 106000 longest 1000" "the program's figures"
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- changed frames

test_head()
{
	local n

	setup_xdp_pair
	takes_xdp "$A" v0
	for n in 4 -4 -100; do
		xdp "$B" v1 head $n 2
		frames -h $n "$A" v0 "$B" v1 50 200
		xdp "$B" v1 head $n 3
		frames -h $n "$A" v0 "$A" v0 50 200
	done
	counts "$B" v1 rx_queue_0_xdp_drops=0
	closes "$A" v0 "$B" v1
}

test_tail()
{
	local n

	setup_xdp_pair
	takes_xdp "$A" v0
	for n in 30 -32; do
		xdp "$B" v1 tail $n 2
		frames -t $n "$A" v0 "$B" v1 50 200
		xdp "$B" v1 tail $n 3
		frames -t $n "$A" v0 "$A" v0 50 200
	done
	counts "$B" v1 rx_queue_0_xdp_drops=0
	closes "$A" v0 "$B" v1
}

# What lies beyond the first page is read, written in front, and cut off.
test_fragments()
{
	setup_xdp_pair
	takes_xdp "$A" v0
	xdp "$B" -f v1 verdict 2
	both_mtu 20000
	xdp "$B" -f v1 copy 15000 2
	frames -w 4 -c 15000 "$A" v0 "$B" v1 20 20000
	xdp "$B" -f v1 copy 15000 3
	frames -w 4 -c 15000 "$A" v0 "$A" v0 20 20000
	xdp "$B" -f v1 tail 11000 2
	frames -w 4 -t 11000 "$A" v0 "$B" v1 20 20000
	xdp "$B" -f v1 tail 19000 2
	frames -w 4 -t 19000 "$A" v0 "$B" v1 20 20000
	xdp "$B" -f v1 tail 19000 3
	frames -w 4 -t 19000 "$A" v0 "$A" v0 20 20000
	counts "$B" v1 rx_queue_0_xdp_drops=0
	closes "$A" v0 "$B" v1
}

# tc reads what the program has left before the frame.
test_metadata()
{
	local out pin=$WORK/bpf/filter

	run mkdir "$WORK/bpf"
	run mount -t bpf none "$WORK/bpf"
	defer umount "$WORK/bpf"
	setup_xdp_pair
	run "$XDP" filter 0x12345678 "$pin"
	run tc -n "$B" qdisc add dev v1 clsact
	run tc -n "$B" filter add dev v1 ingress bpf da object-pinned "$pin"
	xdp "$B" v1 meta 0x12345678 2
	frames "$A" v0 "$B" v1 100 100
	capture out tc -n "$B" -s qdisc show dev v1 clsact
	[[ $out == *"dropped 0,"* ]] || fail "tc saw no metadata: $out"
	xdp "$B" v1 meta 0x12345679 2
	frames "$A" v0 "$B" v1 100 100
	capture out tc -n "$B" -s qdisc show dev v1 clsact
	[[ $out == *"dropped 100,"* ]] || fail "tc saw other metadata: $out"
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- rules

# The frames of the peer have to fit into a page, unless the program takes
# several.
test_mtu()
{
	local out

	setup_xdp_pair
	xdp "$B" v1 verdict 2
	refused "mtu greater than device maximum" \
		ip -n "$A" link set v0 mtu 4000
	run ip -n "$A" link set v0 mtu 3000
	run ip -n "$B" link set v1 mtu 9000
	xdp "$B" v1 none
	run ip -n "$A" link set v0 mtu 9000
	out=$("$XDP" -n "$B" v1 verdict 2) && fail "attached with MTU 9000"
	note "refused: $out"
	[[ $out == E*:\ ?* ]] || fail "no sentence says why"
	xdp "$B" -f v1 verdict 2
	frames -w 4 "$A" v0 "$B" v1 20 9014
	out=$("$XDP" -n "$B" v1 verdict 2) && fail "replaced with MTU 9000"
	xdp "$B" v1 none
	run ip -n "$A" link set v0 mtu 65535
}

# Each transmit queue of the peer has a receive queue of its own.
test_queues()
{
	local out

	setup_ns A B
	silence "$A" "$B"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 txqueues 4 rxqueues 4 \
		peer name v1 netns "$B" txqueues 4 rxqueues 4
	run ip -n "$A" link set v0 up
	run ip -n "$B" link set v1 up
	run ip netns exec "$B" ethtool -L v1 rx 2
	out=$("$XDP" -n "$B" v1 verdict 2) && fail "attached with 2 queues for 4"
	note "refused: $out"
	[[ $out == E*:\ ?* ]] || fail "no sentence says why"
	run ip netns exec "$A" ethtool -L v0 tx 2
	xdp "$B" v1 verdict 2
	refused "" ip netns exec "$A" ethtool -L v0 tx 3
	refused "" ip netns exec "$B" ethtool -L v1 rx 1
	run ip netns exec "$B" ethtool -L v1 rx 3
	run ip netns exec "$A" ethtool -L v0 tx 3
	frames "$A" v0 "$B" v1 100 100
	xdp "$B" v1 none
	run ip netns exec "$B" ethtool -L v1 rx 1
	frames "$A" v0 "$B" v1 100 100
	# so that all of them are shown
	run ip netns exec "$B" ethtool -L v1 rx 4
	run ip netns exec "$A" ethtool -L v0 tx 4
	closes "$A" v0 "$B" v1
}

subtests \
	verdicts "each verdict, counted at both ends" \
	down_and_up "attached before it is up, kept when it goes down" \
	sizes "frames of 15 bytes to 64 KB, passed and sent back" \
	generic "generic XDP" \
	counted "a program that counts" \
	head "bytes put before the frame and taken off" \
	tail "bytes put behind the frame and taken off" \
	fragments "beyond the first page: read, written, cut off" \
	metadata "metadata reaches tc" \
	mtu "MTU and programs" \
	queues "queues and programs"
