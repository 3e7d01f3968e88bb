#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A vndummy does not take frames of XDP that are longer than its MTU.
#
#    namespace A
#   packets --> d0 (loops back) --> XDP_REDIRECT --> d1 (MTU 500) --> nowhere

. "$(dirname "$0")/../lib.sh"
need_kind vndummy
need_tools ethtool
need_helpers newlink packets xdp

setup()
{
	setup_ns A
	silence "$A"
	run "$NEWLINK" -n "$A" add vndummy name d0 info 32 01
	run "$NEWLINK" -n "$A" add vndummy name d1 index 4711 mtu 500
	run ip -n "$A" link set d0 up
	run ip -n "$A" link set d1 up
	run "$XDP" -n "$A" d0 redirect 4711
}

test_short()
{
	setup
	run "$PACKETS" -n "$A" d0 50 200
	counts "$A" d1 tx_packets=50 tx_queue_0_xdp_xmit=50 \
		tx_queue_0_xdp_xmit_errors=0 ip_tx_dropped=0
}

test_long()
{
	setup
	run "$PACKETS" -n "$A" d0 50 1000
	counts "$A" d0 rx_queue_0_xdp_redirect=50
	counts "$A" d1 tx_packets=0 tx_queue_0_xdp_xmit=0 \
		tx_queue_0_xdp_xmit_errors=50 tx_drop_too_big=50 \
		ip_tx_dropped=50
	sums "$A" d1
}

# The Ethernet header is not of the MTU, and a VLAN tag is let pass.
test_exact()
{
	setup
	run "$PACKETS" -n "$A" d0 20 518
	counts "$A" d1 tx_packets=20
	run "$PACKETS" -n "$A" d0 20 519
	counts "$A" d1 tx_packets=20 tx_drop_too_big=20
	run ip -n "$A" link set d1 mtu 1500
	run "$PACKETS" -n "$A" d0 20 519
	counts "$A" d1 tx_packets=40 tx_drop_too_big=20
}

# Frames are freed once, whoever does it: else memory runs out, or worse.
test_many()
{
	local i

	setup
	for i in 1 2 3 4 5; do
		run "$PACKETS" -n "$A" d0 2000 1400
		run "$PACKETS" -n "$A" d0 100 300
	done
	run "$XDP" -n "$A" d0 none
	run ip -n "$A" link del d1
	run ip -n "$A" link del d0
}

subtests \
	short "what fits is sent" \
	long "what does not is an error, and a drop" \
	exact "to the byte, and as the MTU is now" \
	many "many of them"
