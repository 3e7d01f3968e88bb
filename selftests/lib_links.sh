#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# For the tests of vnveth and vndummy, behind lib.sh: pairs for XDP, streams,
# and the books of both ends.

# ours KIND: the rest of this subtest is not so of the in-tree kind.
ours()
{
	[[ $1 == vn* ]] || skip "$1 is not expected to do this"
}

# ------------------------------------------------------------ counters

# stats ARRAY NS DEV: what `ethtool -S` has, and by the names of ip_rx_packets
# and the like what `ip -s link` has.
stats()
{
	local -n stats_into=$1
	local -A stats_link=()
	local stats_line stats_value stats_all

	counters stats_link "$2" "$3"
	for stats_line in "${!stats_link[@]}"; do
		stats_into["ip_$stats_line"]=${stats_link[$stats_line]}
	done
	stats_all=$(ip netns exec "$2" ethtool -S "$3") ||
		fail "$3 has no counters"
	while IFS=' :' read -r stats_line stats_value; do
		# shellcheck disable=SC2034	# a name reference
		[[ ! $stats_value ]] || stats_into["$stats_line"]=$stats_value
	done <<< "$stats_all"
}

# counts_are NS DEV KEY=NUMBER...; what differs is in $DIFFERENT.
counts_are()
{
	local -A now=()
	local pair

	DIFFERENT=
	stats now "$1" "$2"
	for pair in "${@:3}"; do
		[[ ${now[${pair%%=*}]:-none} == "${pair#*=}" ]] ||
			DIFFERENT+=" ${pair%%=*}=${now[${pair%%=*}]:-none}"
	done
	[[ ! $DIFFERENT ]]
}

# counts NS DEV KEY=NUMBER...: what these counters come to.
counts()
{
	note "counts $*"
	counts_are "$@" && return
	# What is not there now will not come by waiting.
	[[ $DIFFERENT != *=none* ]] || fail "$2 does not count all that:$DIFFERENT"
	within 10 counts_are "$@" ||
		fail "$2 should count ${*:3}, but has$DIFFERENT"
}

# Set by a test that sends by a device while that or its peer goes down: what the
# core drops then no driver sees, but `ip` has it in tx_dropped: what is sent by a
# device that is down, and on newer kernels without a carrier.
CORE_DROPS=

# sums NS DEV: each counter that both a device and its queues have is the sum
# of the queues', each one that `ip` knows too is the same there, and what was
# dropped is the sum of the reasons. Polled: `ip` is asked after ethtool, and the
# kernel sends something of its own now and then.
sums()
{
	within 10 sums_are "$@" || fail "$2: figures that differ:$DIFFERENT"
}

# same NUMBER NUMBER WHAT: else it is among those that differ
same()
{
	(($1 == $2)) || DIFFERENT+=" $3 ($1, $2)"
}

sums_are()
{
	local -A sums_now=() sums_of=() sums_drops=([rx]=0 [tx]=0)
	local sums_key sums_rest way

	DIFFERENT=
	stats sums_now "$1" "$2"
	for sums_key in "${!sums_now[@]}"; do
		sums_rest=${sums_key#[rt]x_drop_}
		way=${sums_key%%_*}
		[[ $sums_rest == "$sums_key" ]] ||
			((sums_drops[$way] += sums_now[$sums_key]))
		[[ $sums_key =~ ^[rt]x_queue_[0-9]+_(.*)$ ]] || continue
		sums_rest=${way}_${BASH_REMATCH[1]}
		((sums_of[$sums_rest] += sums_now[$sums_key]))
	done
	for sums_key in "${!sums_of[@]}"; do
		[[ ! ${sums_now[$sums_key]:-} ]] ||
			same "${sums_of[$sums_key]}" "${sums_now[$sums_key]}" \
				"$sums_key as the queues' sum"
	done
	for sums_key in {rx,tx}_{packets,bytes}; do
		same "${sums_now[$sums_key]:--1}" \
			"${sums_now[ip_$sums_key]:--2}" "$sums_key"
	done
	for way in rx tx; do
		if [[ $way == tx && $CORE_DROPS ]] &&
			((sums_drops[tx] < sums_now[ip_tx_dropped])); then
			continue
		fi
		same "${sums_drops[$way]}" "${sums_now[ip_${way}_dropped]}" \
			"${way}_dropped as the reasons' sum"
	done
	[[ ! $DIFFERENT ]]
}

# What one end of a pair has sent or lost the other has received or lost.
pair_closes()
{
	local -A near=([rx_dropped]=0 [tx_dropped]=0)
	local -A far=([rx_dropped]=0 [tx_dropped]=0)
	local key

	stats near "$1" "$2"
	stats far "$3" "$4"
	for key in "${!near[@]}"; do
		[[ $key == [rt]x_drop_* ]] || continue
		((near[${key%%_*}_dropped] += near[$key]))
		((far[${key%%_*}_dropped] += far[$key]))
	done
	UNLIKE="$2 tx ${near[tx_packets]} + ${near[tx_dropped]},"
	UNLIKE+=" $4 rx ${far[rx_packets]} + ${far[rx_dropped]};"
	UNLIKE+=" $4 tx ${far[tx_packets]} + ${far[tx_dropped]},"
	UNLIKE+=" $2 rx ${near[rx_packets]} + ${near[rx_dropped]}"
	((near[tx_packets] + near[tx_dropped] ==
	  far[rx_packets] + far[rx_dropped] &&
	  far[tx_packets] + far[tx_dropped] ==
	  near[rx_packets] + near[rx_dropped]))
}

# closes NS DEV NS DEV: the books of a pair, once nothing is under way
closes()
{
	[[ $VNVETH == vnveth ]] || return 0
	within 10 pair_closes "$@" || fail "the books do not close: $UNLIKE"
	note "books: $UNLIKE"
	sums "$1" "$2"
	sums "$3" "$4"
}

# hits NS DEV ingress|egress [FILTER...]: packets counted by its filter, into
# HITS
hits()
{
	local out

	capture out tc -n "$1" -s filter show dev "$2" "$3" "${@:4}"
	[[ $out =~ " "([0-9]+)" pkt" ]] || fail "no counter in: $out"
	# shellcheck disable=SC2034	# the test files use it
	HITS=${BASH_REMATCH[1]}
}

# ------------------------------------------------------------ XDP

# v0 in A, its peer v1 (4711, as redirects call it) in B, without addresses
setup_xdp_pair()
{
	setup_ns A B
	silence "$A" "$B"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 index 4701 \
		peer name v1 netns "$B" index 4711
	run ip -n "$A" link set v0 up
	run ip -n "$B" link set v1 up
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
}

# and from there on to C: w0 (4712) in B, its peer w1 (with CHAIN_END=(ATTR...) too)
CHAIN_END=()
setup_xdp_chain()
{
	setup_xdp_pair
	setup_ns C
	silence "$C"
	run "$NEWLINK" -n "$B" add "$VNVETH" name w0 index 4712 \
		peer name w1 netns "$C" "${CHAIN_END[@]}"
	run ip -n "$B" link set w0 up
	run ip -n "$C" link set w1 up
	eventually 5 "w0 has a carrier" carrier_is "$B" w0 up
}

# frames [OPTION...] NS DEV NS DEV COUNT SIZE
frames()
{
	run "$FRAMES" "$@"
}

# xdp NS [OPTION...] DEV PROGRAM...
xdp()
{
	run "$XDP" -n "$@"
}

# takes_xdp NS DEV: what XDP sends to it. In-tree veth needs a program for that.
takes_xdp()
{
	[[ $VNVETH != veth ]] || xdp "$1" -f "$2" verdict 2
}

# ------------------------------------------------------------ streams

# stream NS NS ADDRESS: a TCP connection whose every byte is compared, until
# end_stream. In its way at least one megabyte has come through.
stream()
{
	start stream "$STREAM" "$1" "$2" "$3" 7777
	STREAM_PID=$PID
	within 30 says stream '\.' || fail "no stream: $(tail -n 3 "$WORK/stream")"
}

# onward N: N megabytes more
onward()
{
	local dots

	running "$STREAM_PID" ||
		fail "the stream has ended: $(tail -n 3 "$WORK/stream")"
	dots=$(tr -dc . <"$WORK/stream")
	eventually 40 "the stream goes on" \
		says stream "$(printf '\\.\\{%d\\}' $((${#dots} + $1)))"
}

end_stream()
{
	onward 1
	kill -INT "$STREAM_PID"
	ended stream "$STREAM_PID" 60
	is "$STATUS" 0 "status of the stream"
}

# large_come NS DEV NS DEV ADDRESS: of a TCP connection without segmentation,
# the receiver gets packets of more than 2000 bytes all the same: it has joined
# them. (What it sends itself may be large, and does not count.) The stream goes
# on.
large_come()
{
	local dump

	run ip netns exec "$1" ethtool -K "$2" tso off gso off
	run ip netns exec "$3" ethtool -K "$4" gro on
	start dump ip netns exec "$3" tcpdump -lni "$4" -Q in -s 96 -c 1 \
		"tcp and greater 2000"
	dump=$PID
	eventually 10 "tcpdump listens" says dump "listening on"
	stream "$1" "$3" "$5"
	ended dump "$dump" 30
	is "$STATUS" 0 "tcpdump saw a packet of more than 2000 bytes"
}

# v1 in B is deleted, and v0 in A with it, while both send
delete_in_flight()
{
	local flood back

	start flood "$PACKETS" -n "$A" v0 0 1400
	flood=$PID
	start back "$PACKETS" -n "$B" v1 0 60
	back=$PID
	receives 300 "$A" v0
	receives 300 "$B" v1
	run ip -n "$B" link del v1
	gone "$A" v0 || fail "v1 deleted, v0 still there"
	ended flood "$flood" 10
	is "$STATUS" 1 "status of the sender on v0"
	ended back "$back" 10
	is "$STATUS" 1 "status of the sender on v1"
}
