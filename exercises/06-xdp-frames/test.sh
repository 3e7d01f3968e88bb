#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A vndummy without a carrier takes no frames of XDP.
#
#    namespace A
#   packets --> d0 (loops back) --> XDP_REDIRECT --> d1 --> nowhere, or back

. "$(dirname "$0")/../lib.sh"
need_kind vndummy
need_tools ethtool
need_helpers newlink packets xdp

setup()
{
	setup_ns A
	silence "$A"
	run "$NEWLINK" -n "$A" add vndummy name d0 info 32 01
	run "$NEWLINK" -n "$A" add vndummy name d1 index 4711
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

test_none()
{
	setup
	run ip -n "$A" link set d1 carrier off
	eventually 5 "d1 has no carrier" carrier_is "$A" d1 down
	run "$PACKETS" -n "$A" d0 50 200
	counts "$A" d0 rx_queue_0_xdp_redirect=50
	counts "$A" d1 tx_packets=0 tx_queue_0_xdp_xmit=0 \
		tx_queue_0_xdp_xmit_errors=50 tx_drop_down=50 ip_tx_dropped=50
	sums "$A" d1
}

test_again()
{
	setup
	run ip -n "$A" link set d1 carrier off
	eventually 5 "d1 has no carrier" carrier_is "$A" d1 down
	run "$PACKETS" -n "$A" d0 20 200
	counts "$A" d1 tx_packets=0 tx_drop_down=20
	run ip -n "$A" link set d1 carrier on
	eventually 5 "d1 has a carrier" carrier_is "$A" d1 up
	run "$PACKETS" -n "$A" d0 20 200
	counts "$A" d1 tx_packets=20 tx_queue_0_xdp_xmit=20 tx_drop_down=20
}

# The same where frames would come back.
test_loopback()
{
	setup
	run "$NEWLINK" -n "$A" set d1 kind vndummy info 32 01
	run "$PACKETS" -n "$A" d0 20 200
	counts "$A" d1 tx_packets=20 rx_packets=20
	run ip -n "$A" link set d1 carrier off
	eventually 5 "d1 has no carrier" carrier_is "$A" d1 down
	run "$PACKETS" -n "$A" d0 20 200
	counts "$A" d1 tx_packets=20 rx_packets=20 tx_drop_down=20
}

# Frames are freed once, whoever does it: else memory runs out, or worse.
test_many()
{
	local state

	setup
	for state in off on off on off; do
		run ip -n "$A" link set d1 carrier "$state"
		run "$PACKETS" -n "$A" d0 2000 1400
	done
	run "$XDP" -n "$A" d0 none
	run ip -n "$A" link del d1
	run ip -n "$A" link del d0
}

subtests \
	short "with a carrier they are sent" \
	none "without one each is an error, and a drop" \
	again "the carrier goes and comes" \
	loopback "of a device that loops back, too" \
	many "many of them"
