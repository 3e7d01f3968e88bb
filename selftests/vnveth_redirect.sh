#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: XDP that redirects and sends back, frame by frame, also for ever. Each
# frame is known byte for byte, and is in the counters of both ends.
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
need_tools ethtool
need_helpers frames newlink packets xdp

# ---------------------------------------------------- from one device to another

test_redirect()
{
	local way size

	setup_xdp_chain
	takes_xdp "$C" w1
	for way in redirect map; do
		xdp "$B" v1 "$way" 4712
		for size in 60 1514; do
			frames "$A" v0 "$C" w1 100 "$size"
		done
	done
	counts "$B" v1 rx_queue_0_xdp_redirect=400 ip_tx_packets=0
	counts "$B" w0 tx_queue_0_xdp_xmit=400 tx_queue_0_xdp_xmit_errors=0 \
		ip_tx_packets=400
	counts "$C" w1 ip_rx_packets=400
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# What is taken to another processor comes to the same device's stack there.
test_cpu()
{
	local cpus

	setup_xdp_pair
	cpus=$(nproc)
	xdp "$B" v1 cpu $((cpus - 1))
	frames "$A" v0 "$B" v1 200 100
	counts "$B" v1 rx_queue_0_xdp_redirect=200
	closes "$A" v0 "$B" v1
}

# The other end has nothing, GRO, or a program.
test_receivers()
{
	setup_xdp_chain
	xdp "$B" v1 redirect 4712
	if [[ $VNVETH == vnveth ]]; then
		frames "$A" v0 "$C" w1 100 500
	fi
	run ip netns exec "$C" ethtool -K w1 gro on
	frames "$A" v0 "$C" w1 100 500
	run ip netns exec "$C" ethtool -K w1 gro off
	xdp "$C" w1 verdict 2
	frames "$A" v0 "$C" w1 100 500
	xdp "$C" w1 head -20 2
	frames -h -20 "$A" v0 "$C" w1 100 500
	xdp "$C" w1 tx
	takes_xdp "$B" w0
	frames -s "$A" v0 "$B" w0 100 500
	xdp "$C" w1 verdict 1
	run "$PACKETS" -n "$A" v0 100 500
	counts "$C" w1 rx_queue_0_xdp_drops=100 rx_queue_0_xdp_tx=100
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# send_flows FIRST LAST TIMES: UDP to ports FIRST to LAST of somebody behind v1
send_flows()
{
	# shellcheck disable=SC2016	# of the inner one
	ip netns exec "$A" bash -c 'for ((port = $0; port <= $1; port++)); do
			exec {to}>"/dev/udp/192.0.2.2/$port" || exit 1
			for ((i = 0; i < $2; i++)); do
				echo "$port-$i" >&"$to" || exit 1
			done
			exec {to}>&-
		done' "$@" || fail "not sent"
}

# queue_counts: of w1, packets that its program has seen, into Q0 and Q1
queue_counts()
{
	local out

	capture out ip netns exec "$C" ethtool -S w1
	[[ $out =~ rx_queue_0_xdp_packets:\ ([0-9]+) ]] || fail "no queue 0: $out"
	Q0=${BASH_REMATCH[1]}
	[[ $out =~ rx_queue_1_xdp_packets:\ ([0-9]+) ]] || fail "no queue 1: $out"
	Q1=${BASH_REMATCH[1]}
}

seen()
{
	queue_counts
	((Q0 + Q1 == $1))
}

# Frames of many flows are shared out, those of one stay together.
test_several_queues()
{
	local before

	ours "$VNVETH"
	CHAIN_END=(rxqueues 2)
	setup_xdp_chain
	run ip -n "$A" addr add 192.0.2.1/24 dev v0
	run ip -n "$A" neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev v0
	xdp "$B" v1 redirect 4712
	xdp "$C" w1 verdict 1
	note "24 flows of 5 packets"
	send_flows 5001 5024 5
	eventually 10 "all are there" seen 120
	((Q0 > 0 && Q1 > 0)) || fail "one queue has had all: $Q0 and $Q1"
	before=$Q0
	note "one flow of 40"
	send_flows 5001 5001 40
	eventually 10 "all are there" seen 160
	((Q0 == before || Q0 == before + 40)) ||
		fail "one flow in two queues: $((Q0 - before)) of 40 in the first"
	counts "$C" w1 rx_drop_xdp=160
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# There and back: what v1 sends on to w0, w1 sends back, and w0 on to v1.
test_there_and_back()
{
	setup_xdp_chain
	takes_xdp "$A" v0
	xdp "$B" v1 redirect 4712
	xdp "$B" w0 redirect 4711
	xdp "$C" w1 tx
	frames -s "$A" v0 "$A" v0 200 300
	counts "$B" v1 rx_queue_0_xdp_redirect=200 tx_queue_0_xdp_xmit=200
	counts "$B" w0 rx_queue_0_xdp_redirect=200 tx_queue_0_xdp_xmit=200
	counts "$C" w1 rx_queue_0_xdp_tx=200
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# No such device, and one that takes no frames.
test_redirect_nowhere()
{
	setup_xdp_pair
	xdp "$B" v1 redirect 9999
	run "$PACKETS" -n "$A" v0 100 60
	counts "$B" v1 rx_queue_0_drops=100 rx_queue_0_xdp_drops=0 \
		rx_queue_0_xdp_redirect=0
	xdp "$B" v1 redirect 1
	run "$PACKETS" -n "$A" v0 100 60
	counts "$B" v1 rx_queue_0_drops=200 rx_queue_0_xdp_redirect=0
	[[ $VNVETH == vnveth ]] || return 0
	counts "$B" v1 rx_drop_xdp_error=200 ip_rx_dropped=200 ip_rx_packets=0
	closes "$A" v0 "$B" v1
}

# Nobody is there, or there is no room: lost between w0 and w1.
test_redirect_lost()
{
	ours "$VNVETH"
	setup_xdp_chain
	xdp "$B" v1 redirect 4712
	run ip -n "$C" link set w1 mtu 500
	run "$PACKETS" -n "$A" v0 100 1000
	counts "$B" w0 tx_queue_0_xdp_xmit_errors=100 tx_drop_too_big=100 \
		ip_tx_dropped=100 ip_tx_packets=0
	counts "$C" w1 rx_drop_too_big=100 ip_rx_dropped=100 ip_rx_packets=0
	run ip -n "$C" link set w1 down
	run "$PACKETS" -n "$A" v0 100 400
	counts "$B" w0 tx_queue_0_xdp_xmit_errors=200 tx_drop_down=100 \
		ip_tx_dropped=200
	counts "$C" w1 rx_drop_down=100 ip_rx_dropped=200
	closes "$B" w0 "$C" w1
	# w0's own MTU, and w0 itself down: the core refuses for it.
	run ip -n "$C" link set w1 mtu 1500 up
	run ip -n "$B" link set w0 mtu 500
	run "$PACKETS" -n "$A" v0 100 1000
	counts "$B" v1 rx_drop_xdp_error=100
	run ip -n "$B" link set w0 down
	run "$PACKETS" -n "$A" v0 100 400
	counts "$B" v1 rx_drop_xdp_error=200 ip_rx_dropped=200
	counts "$B" w0 ip_tx_dropped=200 ip_tx_packets=0
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# Sent back to an end that takes only short frames.
test_back_too_long()
{
	ours "$VNVETH"
	setup_xdp_pair
	run ip -n "$B" link set v1 mtu 1500
	xdp "$B" v1 head -100 3
	run "$PACKETS" -n "$A" v0 100 1514
	counts "$B" v1 rx_queue_0_xdp_packets=100 rx_queue_0_xdp_tx_errors=100 \
		ip_tx_dropped=100 tx_drop_too_big=100
	counts "$A" v0 ip_rx_dropped=100 rx_drop_too_big=100 ip_rx_packets=0
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- for ever

# A frame that both ends send back goes on until one of them stops.
test_ping_pong()
{
	local -A a

	setup_xdp_pair
	xdp "$A" v0 tx
	xdp "$B" v1 tx
	run "$PACKETS" -n "$A" v0 20 200
	counters a "$A" v0
	eventually 20 "the frames bounce" \
		more_than $((a[rx_packets] + 3000)) "$A" v0 rx_packets
	run ip -n "$A" addr show dev v0
	run "$PACKETS" -n "$A" v0 20 200
	xdp "$A" v0 none
	closes "$A" v0 "$B" v1
	xdp "$B" v1 none
	frames "$A" v0 "$B" v1 50 100
	closes "$A" v0 "$B" v1
}

# The same around two pairs:
#
#   A: v0 ======> v1 :B     (v1 redirects to w1)
#   A: w0 <====== w1 :B     (w0 redirects to v0)
test_round_and_round()
{
	setup_xdp_pair
	run "$NEWLINK" -n "$A" add "$VNVETH" name w0 index 4702 \
		peer name w1 netns "$B" index 4712
	run ip -n "$A" link set w0 up
	run ip -n "$B" link set w1 up
	eventually 5 "w0 has a carrier" carrier_is "$A" w0 up
	xdp "$B" v1 redirect 4712
	xdp "$A" w0 redirect 4701
	run "$PACKETS" -n "$A" v0 20 200
	eventually 20 "the frames go round" \
		more_than 3000 "$B" v1 rx_packets
	run ip -n "$A" addr show dev v0
	xdp "$B" v1 none
	closes "$A" v0 "$B" v1
	closes "$A" w0 "$B" w1
	xdp "$A" w0 none
	frames "$A" v0 "$B" v1 50 100
	frames "$A" w0 "$B" w1 50 100
	closes "$A" v0 "$B" v1
	closes "$A" w0 "$B" w1
}

# Whichever program is in front: each frame is somewhere.
test_changed_under_traffic()
{
	local flood program

	setup_xdp_chain
	takes_xdp "$C" w1
	start flood "$PACKETS" -n "$A" v0 0 100
	flood=$PID
	receives 100 "$B" v1
	for _ in 1 2 3; do
		for program in "verdict 2" "verdict 1" none "redirect 4712" \
			"tx" none "tail 4 2" "verdict 0"; do
			# shellcheck disable=SC2086	# several words
			xdp "$B" v1 $program
		done
		xdp "$B" v1 none
		# shellcheck disable=SC2086
		xdp "$B" -f v1 verdict 2
	done
	run kill "$flood"
	ended flood "$flood" 10
	more_than 0 "$C" w1 rx_packets || fail "nothing was redirected"
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
	xdp "$B" v1 none
	frames "$A" v0 "$B" v1 50 100
}

subtests \
	redirect "redirected by number and by map" \
	cpu "redirected to another processor" \
	receivers "redirected to an end with nothing, GRO, a program" \
	several_queues "flows shared out among receive queues" \
	there_and_back "two redirections, and sent back between them" \
	redirect_nowhere "redirected to no device" \
	redirect_lost "redirected to one that is down, or too long for it" \
	back_too_long "sent back, too long" \
	ping_pong "both ends send back" \
	round_and_round "a circle of two pairs" \
	changed_under_traffic "programs changed under traffic"
