#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: XDP and TCP. A connection whose every byte is compared goes through
# the programs: offloads, packets of 64 KB, checksums, VLANs.
#
#   namespace A              namespace B               namespace C
#     stream            an XDP program on v1             stream
#       |                  |            |                  |
#      v0 ==== pair ==== v1 (4711)     w0 ==== pair ==== w1
#   10.77.0.1                        (4712)            10.77.0.2
#
# Without C, v1 has 10.77.0.2.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH"
need_tools ethtool
need_helpers frames newlink packets stream xdp

# A and B, or A and C with B between them
two()
{
	setup_xdp_pair
	run ip -n "$A" addr add 10.77.0.1/24 dev v0
	run ip -n "$B" addr add 10.77.0.2/24 dev v1
}

three()
{
	setup_xdp_chain
	run ip -n "$A" addr add 10.77.0.1/24 dev v0
	run ip -n "$C" addr add 10.77.0.2/24 dev w1
}

# feature NS DEV NAME: on or off
feature()
{
	local all

	features all "$1" "$2"
	[[ $all =~ (^|$'\n')[[:space:]]*$3:\ ([a-z]+) ]] ||
		fail "no feature $3 in: $all"
	FEATURE=${BASH_REMATCH[2]}
}

TSO=tcp-segmentation-offload

# ---------------------------------------------------- passed

# A program for single pieces: the peer cuts its packets before they come.
test_pass()
{
	local out longest

	two
	feature "$A" v0 $TSO
	is "$FEATURE" on "TSO of v0"
	xdp "$B" v1 count 2
	feature "$A" v0 $TSO
	is "$FEATURE" off "TSO of v0 with a program on v1"
	stream "$A" "$B" 10.77.0.2
	onward 3
	end_stream
	capture out "$XDP" -n "$B" v1 counted
	note "$out"
	longest=${out##* }
	((longest >= 1000 && longest <= 1514)) ||
		fail "the longest packet: $longest bytes"
	xdp "$B" v1 none
	feature "$A" v0 $TSO
	is "$FEATURE" on "TSO of v0 when the program has gone"
	closes "$A" v0 "$B" v1
}

# One that takes fragments gets what TCP sends, in one piece. (In-tree veth has
# it cut for any program.)
test_pass_large()
{
	local out

	ours "$VNVETH"
	two
	xdp "$B" -f v1 count 2
	feature "$A" v0 $TSO
	is "$FEATURE" on "TSO of v0"
	stream "$A" "$B" 10.77.0.2
	onward 3
	end_stream
	capture out "$XDP" -n "$B" v1 counted
	note "$out"
	((${out##* } > 10000)) || fail "no large packet came to the program"
	xdp "$B" v1 none
	closes "$A" v0 "$B" v1
}

# Both ends have programs; one of them, and then the other, has GRO as well.
test_both_ends()
{
	local end

	two
	xdp "$A" v0 verdict 2
	xdp "$B" -f v1 verdict 2
	stream "$A" "$B" 10.77.0.2
	for end in "$A v0" "$B v1"; do
		# shellcheck disable=SC2086	# two words
		set -- $end
		run ip netns exec "$1" ethtool -K "$2" gro on
		onward 1
		run ip netns exec "$1" ethtool -K "$2" gro off
		onward 1
	done
	end_stream
	closes "$A" v0 "$B" v1
}

# All that is lost is counted, and TCP sends it again.
test_drop_large()
{
	two
	xdp "$B" -f v1 verdict 2
	stream "$A" "$B" 10.77.0.2
	xdp "$B" -f v1 verdict 1
	eventually 10 "packets are dropped" dropping 1
	xdp "$B" -f v1 verdict 2
	onward 2
	end_stream
	closes "$A" v0 "$B" v1
}

dropping()
{
	local -A now

	stats now "$B" v1
	((now[rx_queue_0_xdp_drops] >= $1))
}

# Whatever happens to the pair meanwhile.
test_changes()
{
	local i CORE_DROPS=1

	two
	stream "$A" "$B" 10.77.0.2
	for i in 1 2 3 4; do
		xdp "$B" v1 verdict 2
		xdp "$A" v0 verdict 2
		xdp "$B" v1 none
		xdp "$B" -f v1 verdict 2
		xdp "$A" v0 none
		xdp "$B" -f v1 count 2
		xdp "$B" v1 none
		run ip -n "$B" link set v1 mtu $((1500 - i))
	done
	onward 1
	for i in 1 2 3; do
		xdp "$B" -f v1 verdict 2
		run ip -n "$B" link set v1 down
		run ip -n "$B" link set v1 up
		run ip -n "$A" link set v0 down
		xdp "$B" v1 none
		run ip -n "$A" link set v0 up
	done
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
	end_stream
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- redirected

# in_tree_offloads: what in-tree veth needs to be off, so that frames that XDP
# has sent on are complete.
in_tree_offloads()
{
	[[ $VNVETH == veth ]] || return 0
	takes_xdp "$A" v0
	run ip netns exec "$A" ethtool -K v0 tx off
	[[ ! ${C:-} ]] || {
		takes_xdp "$C" w1
		run ip netns exec "$C" ethtool -K w1 tx off
	}
}

# The checksum is left to the device, which is asked for it when there is no
# packet buffer any more to note that in: the receiver looks at each one.
test_redirect()
{
	three
	in_tree_offloads
	xdp "$B" v1 redirect 4712
	xdp "$B" w0 redirect 4711
	stream "$A" "$C" 10.77.0.2
	onward 2
	end_stream
	verified "$C" "$A"
	counts "$B" v1 rx_queue_0_drops=0 rx_queue_0_xdp_drops=0
	counts "$B" w0 rx_queue_0_drops=0 rx_queue_0_xdp_drops=0
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# verified NS...: TCP has refused no packet for its checksum.
verified()
{
	local ns line

	for ns; do
		capture line ip netns exec "$ns" nstat -asz TcpInCsumErrors
		[[ $line =~ TcpInCsumErrors\ +([0-9]+) ]] || fail "$line"
		is "${BASH_REMATCH[1]}" 0 "wrong checksums in $ns"
	done
}

# Packets of 64 KB cannot be sent on as they are: they are cut.
test_redirect_large()
{
	local -A now
	local out

	ours "$VNVETH"
	three
	xdp "$B" -f v1 redirect 4712
	xdp "$B" -f w0 redirect 4711
	xdp "$C" -f w1 count 2
	feature "$A" v0 $TSO
	is "$FEATURE" on "TSO of v0"
	stream "$A" "$C" 10.77.0.2
	onward 2
	end_stream
	verified "$C" "$A"
	capture out "$XDP" -n "$C" w1 counted
	note "$out"
	((${out##* } <= 1514)) || fail "packets were not cut to the MTU"
	counters now "$A" v0
	((now[tx_bytes] / now[tx_packets] > 1514)) ||
		fail "v0 did not send large packets"
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# UDP, with its checksum left to the device as well; large ones in fragments
test_redirect_udp()
{
	three
	in_tree_offloads
	xdp "$B" v1 redirect 4712
	xdp "$B" w0 redirect 4711
	run ip netns exec "$A" ping -qc 3 -i 0.05 -W 10 10.77.0.2
	udp "$A" "$C" 500
	udp "$A" "$C" 5000
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

# udp NS NS SIZE: a datagram, byte for byte
udp()
{
	head -c "$3" /dev/urandom >"$WORK/sent"
	rm -f "$WORK/came"
	start udp ip netns exec "$2" socat -u -b 65536 -T 20 \
		UDP-RECVFROM:7777 "CREATE:$WORK/came"
	eventually 10 "somebody waits for it" bound "$2" 1E61
	run ip netns exec "$1" socat -u -b 65536 "OPEN:$WORK/sent" \
		UDP:10.77.0.2:7777
	ended udp "$PID" 30
	run cmp "$WORK/sent" "$WORK/came"
}

bound()
{
	ip netns exec "$1" grep -q "^ *[0-9]*: [0-9A-F]*:$2 " /proc/net/udp
}

# A talks to itself: what it sends to B comes back with the addresses swapped,
# which leaves the checksum right if it is there.
test_reflect()
{
	two
	in_tree_offloads
	xdp "$B" v1 reflect
	stream "$A" "$A" 10.77.0.2
	onward 2
	end_stream
	verified "$A"
	counts "$B" v1 rx_queue_0_drops=0 rx_queue_0_xdp_drops=0
	[[ $VNVETH == vnveth ]] || return 0
	xdp "$B" -f v1 reflect
	stream "$A" "$A" 10.77.0.2
	onward 1
	end_stream
	verified "$A"
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- VLANs

# The tag is not in the frame but beside it.
test_vlan()
{
	local way

	modprobe -q 8021q
	[[ -d /proc/net/vlan ]] || skip "this kernel has no VLANs"
	three
	run ip -n "$A" link add link v0 name v0.5 type vlan id 5
	run ip -n "$C" link add link w1 name w1.5 type vlan id 5
	run ip -n "$B" link add link v1 name v1.5 type vlan id 5
	run ip -n "$A" link set v0.5 up
	run ip -n "$B" link set v1.5 up
	run ip -n "$C" link set w1.5 up
	takes_xdp "$A" v0
	takes_xdp "$C" w1
	feature "$A" v0 tx-vlan-offload
	is "$FEATURE" on "VLAN tags left to v0"
	run "$FRAMES" "$A" v0.5 "$B" v1.5 50 100
	for way in "" -f; do
		# shellcheck disable=SC2086	# none or one word
		xdp "$B" $way v1 verdict 2
		run "$FRAMES" "$A" v0.5 "$B" v1.5 50 100
		[[ $VNVETH == vnveth ]] || continue
		# shellcheck disable=SC2086
		xdp "$B" $way v1 redirect 4712
		run "$FRAMES" "$A" v0.5 "$C" w1.5 50 100
		# shellcheck disable=SC2086
		xdp "$B" $way v1 verdict 3
		run "$FRAMES" "$A" v0.5 "$A" v0.5 50 100
	done
	closes "$A" v0 "$B" v1
	closes "$B" w0 "$C" w1
}

subtests \
	pass "passed: TSO goes off, and comes back" \
	pass_large "passed: packets of 64 KB, if the program takes fragments" \
	both_ends "a program at each end, and GRO" \
	drop_large "dropped for a while" \
	changes "programs, MTU, down and up under traffic" \
	redirect "TCP redirected to another pair, checksums right" \
	redirect_large "packets of 64 KB redirected: cut" \
	redirect_udp "UDP redirected to another pair" \
	reflect "TCP sent back, checksums right" \
	vlan "a VLAN tag survives each verdict"
