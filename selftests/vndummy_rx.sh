#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vndummy: what comes back from it when it is told to loop: rings, GRO, XDP.
#
#      namespace A
#     frames, packets
#       |        ^
#   d0 (vndummy) |                  d1: another one
#       |        |
#       +--------+   loopback on
#       |
#       v            loopback off: nowhere

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNDUMMY"
need_tools ethtool
need_helpers frames newlink packets xdp

LOOPBACK="info 32 01"

# dummy NAME [WORD...]: up, and what newlink is told of it
dummy()
{
	run "$NEWLINK" -n "$A" add "$VNDUMMY" name "$@"
	run ip -n "$A" link set "$1" up
}

setup()
{
	ours "$VNDUMMY"
	setup_ns A
	silence "$A"
	# shellcheck disable=SC2086	# three words
	dummy d0 "$@" $LOOPBACK
}

# loopback DEV on|off
loopback()
{
	local value=00

	[[ $2 == off ]] || value=01
	run "$NEWLINK" -n "$A" set "$1" kind "$VNDUMMY" info 32 $value
}

options()
{
	local out

	capture out "$NEWLINK" -n "$A" info "$1"
	is "$out" "$2" "options of $1"
}

xdp()
{
	run "$XDP" -n "$A" "$@"
}

# books DEV: each packet sent has come back, or is known to be lost; the sums
# are right.
books_close()
{
	local -A now

	counters now "$A" "$1"
	UNLIKE="$1 tx ${now[tx_packets]} + ${now[tx_dropped]},"
	UNLIKE+=" rx ${now[rx_packets]} + ${now[rx_dropped]}"
	((now[tx_packets] == now[rx_packets] + now[rx_dropped]))
}

books()
{
	within 10 books_close "$1" || fail "the books do not close: $UNLIKE"
	note "books: $UNLIKE"
	sums "$A" "$1"
}

test_off()
{
	setup_ns A
	silence "$A"
	dummy d0
	run "$PACKETS" -n "$A" d0 100 100
	counts_link d0 tx_packets=100 rx_packets=0 rx_dropped=0
	ours "$VNDUMMY"
	options d0 "32=00"
	counts "$A" d0 rx_packets=0 rx_queue_0_packets=0 tx_packets=100 \
		tx_queue_0_packets=100 tx_queue_0_bytes=10000
	sums "$A" d0
}

# counts_link DEV KEY=NUMBER...: of `ip -s link`, which in-tree dummy has too
counts_link()
{
	local -A now
	local pair

	counters now "$A" "$1"
	for pair in "${@:2}"; do
		is "${now[${pair%%=*}]}" "${pair#*=}" "$1: ${pair%%=*}"
	done
}

test_loopback()
{
	local size

	setup
	options d0 "32=01"
	for size in 15 60 1514; do
		frames "$A" d0 "$A" d0 100 $size
	done
	counts "$A" d0 ip_tx_packets=300 ip_rx_packets=300 \
		rx_bytes=$((100 * 1589)) tx_bytes=$((100 * 1589)) \
		rx_queue_0_packets=300 tx_queue_0_packets=300 ip_rx_dropped=0
	run ip -n "$A" link set d0 mtu 65000
	frames -w 4 "$A" d0 "$A" d0 20 65000
	loopback d0 off
	options d0 "32=00"
	run "$PACKETS" -n "$A" d0 100 100
	counts "$A" d0 ip_tx_packets=420 ip_rx_packets=320
	loopback d0 on
	frames "$A" d0 "$A" d0 100 60
	counts "$A" d0 ip_tx_packets=520 ip_rx_packets=420
	refused ERANGE "$NEWLINK" -n "$A" set d0 kind "$VNDUMMY" info 32 02
	sums "$A" d0
}

test_changed_under_traffic()
{
	local flood i

	setup
	start flood "$PACKETS" -n "$A" d0 0 200
	flood=$PID
	for i in 1 2 3 4; do
		loopback d0 off
		run ip netns exec "$A" ethtool -K d0 gro on
		loopback d0 on
		run ip netns exec "$A" ethtool -K d0 gro off
		run ip netns exec "$A" ethtool -G d0 rx $((i * 100))
		xdp d0 verdict $i
		loopback d0 off
		loopback d0 on
		xdp d0 none
	done
	run kill "$flood"
	ended flood "$flood" 10
	frames "$A" d0 "$A" d0 100 60
	sums "$A" d0
}

# Nobody else may be told what the frames were before.
test_ends()
{
	local flood mode

	setup
	for mode in "gro on" xdp; do
		if [[ $mode == xdp ]]; then
			xdp d0 verdict 2
		else
			# shellcheck disable=SC2086	# two words
			run ip netns exec "$A" ethtool -K d0 $mode
		fi
		start flood "$PACKETS" -n "$A" d0 0 200
		flood=$PID
		receives 300 "$A" d0
		for _ in 1 2 3; do
			run ip -n "$A" link set d0 promisc on
			run ip -n "$A" link set d0 promisc off
		done
		run ip -n "$A" link del d0
		ended flood "$flood" 10
		is "$STATUS" 1 "status of the sender whose interface is gone"
		# shellcheck disable=SC2086	# three words
		dummy d0 $LOOPBACK
	done
	frames "$A" d0 "$A" d0 100 60
}

test_moved()
{
	local out

	setup
	setup_ns B
	silence "$B"
	xdp d0 count 2
	frames "$A" d0 "$A" d0 100 60
	run ip -n "$A" link set d0 netns "$B"
	run ip -n "$B" link set d0 up
	frames "$B" d0 "$B" d0 100 60
	capture out "$XDP" -n "$B" d0 counted
	is "$out" "packets 200 bytes 12000 longest 60" "the program's figures"
	run ip netns del "$B"
	gone "$A" d0 || fail "d0 is back in $A"
}

test_gro()
{
	setup
	run ip netns exec "$A" ethtool -K d0 gro on
	frames "$A" d0 "$A" d0 200 100
	counts "$A" d0 rx_queue_0_xdp_packets=200 rx_packets=200
	run ip -n "$A" link set d0 down
	run ip -n "$A" link set d0 up
	frames "$A" d0 "$A" d0 200 100
	run ip netns exec "$A" ethtool -K d0 gro off
	frames "$A" d0 "$A" d0 200 100
	counts "$A" d0 rx_queue_0_xdp_packets=400 rx_packets=600
	books d0
}

# Kinds of frames: 0 aborted, 1 drop, 2 pass, 3 back, 4 redirect, 5 unknown.
test_verdicts()
{
	setup
	dummy d1 index 4711
	xdp d0 kind 4711
	frames -k 6 -e 2 "$A" d0 "$A" d0 120 100
	counts "$A" d0 rx_queue_0_xdp_packets=120 rx_queue_0_xdp_drops=60 \
		rx_queue_0_xdp_tx=20 rx_queue_0_xdp_tx_errors=0 \
		rx_queue_0_xdp_redirect=20 rx_queue_0_drops=0 \
		rx_packets=60 rx_bytes=6000 ip_rx_dropped=60 rx_drop_xdp=20 \
		rx_drop_xdp_aborted=40 rx_drop_xdp_error=0 \
		tx_packets=140 tx_bytes=14000 ip_tx_dropped=0
	counts "$A" d1 tx_packets=20 tx_bytes=2000 tx_queue_0_xdp_xmit=20 \
		ip_rx_packets=0 ip_tx_dropped=0
	sums "$A" d0
	sums "$A" d1
	# Without loopback nothing comes to the program.
	loopback d0 off
	run "$PACKETS" -n "$A" d0 100 100
	counts "$A" d0 rx_queue_0_xdp_packets=120 tx_packets=240
}

test_redirect()
{
	setup
	dummy d1 index 4711
	xdp d0 redirect 4711
	run "$PACKETS" -n "$A" d0 100 200
	counts "$A" d1 tx_packets=100 tx_queue_0_xdp_xmit=100 rx_packets=0
	loopback d1 on
	frames "$A" d0 "$A" d1 100 200
	run ip netns exec "$A" ethtool -K d1 gro on
	frames "$A" d0 "$A" d1 100 200
	xdp d1 head -20 2
	frames -h -20 "$A" d0 "$A" d1 100 200
	xdp d1 verdict 1
	run "$PACKETS" -n "$A" d0 100 200
	counts "$A" d1 tx_packets=500 tx_queue_0_xdp_xmit=500 \
		tx_queue_0_xdp_xmit_errors=0 rx_packets=300 rx_drop_xdp=100
	counts "$A" d0 rx_packets=500 rx_queue_0_xdp_redirect=500
	sums "$A" d0
	sums "$A" d1
	run ip -n "$A" link set d1 down
	run "$PACKETS" -n "$A" d0 100 200
	counts "$A" d0 rx_drop_xdp_error=100
	books d0
}

# Frames that go round between two of them, or in one.
test_circles()
{
	setup index 4710
	# shellcheck disable=SC2086	# three words
	dummy d1 index 4711 $LOOPBACK
	xdp d0 redirect 4711
	xdp d1 redirect 4710
	run "$PACKETS" -n "$A" d0 20 200
	receives 3000 "$A" d1
	run ip -n "$A" addr show dev d0
	xdp d0 none
	xdp d1 none
	books d1
	sums "$A" d0
	xdp d0 redirect 4710
	run "$PACKETS" -n "$A" d0 20 200
	run ip -n "$A" addr show dev d0
	xdp d0 none
	frames "$A" d0 "$A" d0 50 100
	sums "$A" d0
}

test_queues()
{
	local out n

	setup txqueues 4 rxqueues 4
	capture out ip netns exec "$A" ethtool -l d0
	is "$(sed -n 's/^RX:[[:space:]]*//p' <<< "$out" | tr '\n' ' ')" "4 4 " \
		"receive queues, at most and in use"
	for n in 2 1 3 4; do
		run ip netns exec "$A" ethtool -L d0 rx $n tx $n
		frames "$A" d0 "$A" d0 50 100
	done
	xdp d0 verdict 2
	for n in 2 4; do
		run ip netns exec "$A" ethtool -L d0 rx $n
		frames "$A" d0 "$A" d0 50 100
	done
	run ip netns exec "$A" ethtool -L d0 rx 4 tx 4
	refused "" ip netns exec "$A" ethtool -L d0 rx 5
	books d0
}

test_ring()
{
	setup
	run ip netns exec "$A" ethtool -G d0 rx 1
	xdp d0 verdict 2
	frames -w 1 "$A" d0 "$A" d0 50 100
	run ip netns exec "$A" ethtool -G d0 rx 16
	run ip netns exec "$A" ethtool -C d0 rx-usecs 20000 rx-frames 8
	frames -w 8 "$A" d0 "$A" d0 80 100
	frames -w 1 "$A" d0 "$A" d0 5 100
	run "$PACKETS" -n "$A" d0 500 100
	run ip netns exec "$A" ethtool -C d0 rx-usecs 0
	frames "$A" d0 "$A" d0 16 100
	books d0
}

test_settings()
{
	local out

	setup
	run ip netns exec "$A" ethtool -s d0 speed 40000 duplex half autoneg off
	capture out ip netns exec "$A" ethtool d0
	[[ $out == *"Speed: 40000Mb/s"* && $out == *"Duplex: Half"* ]] ||
		fail "link settings: $out"
	run ip -n "$A" link set d0 carrier off
	eventually 5 "carrier down" carrier_is "$A" d0 down
	run ip -n "$A" link set d0 carrier on
	eventually 5 "carrier up" carrier_is "$A" d0 up
	frames "$A" d0 "$A" d0 50 100
	books d0
}

test_mtu()
{
	setup
	run ip -n "$A" link set d0 mtu 9000
	xdp -f d0 verdict 2
	frames -w 4 "$A" d0 "$A" d0 20 9014
	xdp -f d0 copy 8000 2
	frames -w 4 -c 8000 "$A" d0 "$A" d0 20 9014
	books d0
}

subtests \
	off "nothing comes back unless it is told" \
	loopback "what is sent is received" \
	changed_under_traffic "loopback, GRO, ring, programs under traffic" \
	ends "deleted under traffic" \
	moved "moved with a program, and gone with a namespace" \
	gro "GRO" \
	verdicts "each XDP verdict, counted" \
	redirect "frames of another device, swallowed and looped" \
	circles "frames that go round and round" \
	queues "the number of queues" \
	ring "the ring's length, packets that wait" \
	settings "link settings, carrier" \
	mtu "large frames and programs"
