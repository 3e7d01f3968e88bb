#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# A pair loses what claims to come from a group, and both ends say so.
#
#   namespace A              namespace B
#     v0 ======= pair ======= v1

. "$(dirname "$0")/../lib.sh"
need_kind vnveth
need_tools ethtool python3
need_helpers newlink packets

GOOD="0200000000010200000000020800"
BAD="0200000000010300000000020800"
TRACING=/sys/kernel/tracing

setup()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B"
}

test_counted()
{
	setup
	send "$A" v0 3 60 "$BAD"
	counts "$A" v0 tx_drop_source=3 ip_tx_dropped=3 tx_packets=0
	counts "$B" v1 rx_drop_source=3 ip_rx_dropped=3 rx_packets=0
}

test_books()
{
	setup
	send "$A" v0 5 60 "$GOOD"
	send "$A" v0 3 60 "$BAD"
	send "$B" v1 4 60 "$BAD"
	counts "$A" v0 tx_packets=5 tx_drop_source=3 rx_drop_source=4
	counts "$B" v1 rx_packets=5 rx_drop_source=3 tx_drop_source=4
	closes "$A" v0 "$B" v1
}

# What skb:kfree_skb says of a packet that is lost
reasons()
{
	grep -c "reason: $1\$" "$TRACING/instances/vnic-$$/trace"
}

test_reason()
{
	local instance=$TRACING/instances/vnic-$$

	[[ -d $TRACING/events ]] || mount -t tracefs tracefs "$TRACING" ||
		skip "this kernel has no tracefs"
	setup
	run mkdir "$instance"
	defer rmdir "$instance"
	defer sh -c "echo 0 >'$instance/events/enable'"
	echo 1 >"$instance/events/skb/kfree_skb/enable"
	send "$A" v0 3 60 "$BAD"
	note "$(grep kfree_skb "$instance/trace")"
	is "$(reasons DEV_HDR)" 3 "packets freed with the reason DEV_HDR"
}

# There is no source to look at.
test_l3()
{
	setup_ns A B
	silence "$A" "$B"
	run "$NEWLINK" -n "$A" add vnveth name v0 info 32 01 \
		peer name v1 netns "$B"
	pair_up "$A" "$B"
	run ip netns exec "$A" ping -q -c 3 -i 0.02 -w 30 10.77.0.2
	counts "$A" v0 tx_drop_source=0
}

subtests \
	counted "both ends count it, as source" \
	books "and nothing else; the books of the pair close" \
	reason "the packet is freed with a reason" \
	l3 "a pair without Ethernet headers"
