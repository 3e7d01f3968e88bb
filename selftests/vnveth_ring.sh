#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnveth: receive rings and NAPI, and what can be set about them, under
# traffic.
#
#      namespace A                             namespace B
#   stream, packets                          stream, busy.py
#          |                                       |
#     v0 10.77.0.1/24  ------> ring, NAPI --> v1 10.77.0.2/24
#                      <------ ring, NAPI
#
# With GRO on, an end has them; and for other reasons that Documentation names.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH"
need_tools chrt ethtool ping python3 taskset tc tcpdump
need_helpers frames newlink packets stream

# Attributes of our kind (include/uapi/linux/vnic.h)
BACKPRESSURE="info 34 01"
BQL="info 35 01"

# pair [WORD...]: what newlink is told of both ends besides
pair()
{
	setup_ns A B
	silence "$A" "$B"
	setup_pair "$A" "$B" "$@"
}

# The same with N queues each way.
pair_of()
{
	setup_ns A B
	silence "$A" "$B"
	run "$NEWLINK" -n "$A" add "$VNVETH" name v0 txqueues "$1" \
		rxqueues "$1" peer name v1 netns "$B" txqueues "$1" rxqueues "$1"
	pair_up "$A" "$B"
}

# gro on|off: at both ends
gro()
{
	run ip netns exec "$A" ethtool -K v0 gro "$1"
	run ip netns exec "$B" ethtool -K v1 gro "$1"
}

# ethtool_has NS WORD DEV LINE: a line of what `ethtool WORD DEV` prints; the
# last one, as what is set comes behind what could be.
ethtool_has()
{
	local out

	capture out ip netns exec "$1" ethtool "$2" "$3"
	out=$(grep "^${4%%:*}:" <<< "$out" | tail -n 1 | tr -s '\t ' ' ')
	is "$out" "$4" "ethtool $2 $3"
}

# takes_napi NS DEV: in-tree veth goes by NAPI only with what was cut before.
takes_napi()
{
	[[ $VNVETH != veth ]] || run ip netns exec "$1" ethtool -K "$2" tso off
}

# at_least N NS DEV COUNTER, of `ethtool -S`
at_least()
{
	local -A now

	stats now "$2" "$3"
	((${now[$4]:-0} >= $1))
}

# read_file VAR NS FILE
read_file()
{
	capture "$1" ip netns exec "$2" cat "$3"
}

# ---------------------------------------------------- GRO

test_gro()
{
	pair
	takes_napi "$A" v0
	stream "$A" "$B" 10.77.0.2
	for _ in 1 2 3 4; do
		run ip netns exec "$B" ethtool -K v1 gro on
		run ip netns exec "$A" ethtool -K v0 gro on
		run ip netns exec "$B" ethtool -K v1 gro off
		run ip netns exec "$A" ethtool -K v0 gro off
	done
	run ip netns exec "$B" ethtool -K v1 gro on
	onward 2
	run ip netns exec "$B" ethtool -K v1 gro off
	end_stream
	at_least 1 "$B" v1 rx_queue_0_xdp_packets ||
		fail "v1 has taken nothing from a ring"
	closes "$A" v0 "$B" v1
}

# With the sender's segmentation off, it is the receiver that makes large ones.
test_gro_joins()
{
	pair
	large_come "$A" v0 "$B" v1 10.77.0.2
	end_stream
	closes "$A" v0 "$B" v1
}

test_down_and_up()
{
	local CORE_DROPS=1

	pair
	gro on
	stream "$A" "$B" 10.77.0.2
	for _ in 1 2 3; do
		run ip -n "$B" link set v1 down
		run ip -n "$B" link set v1 up
		run ip -n "$A" link set v0 down
		run ip -n "$A" link set v0 up
	done
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
	onward 1
	gro off
	end_stream
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- ethtool -G, -C

test_ring()
{
	local size

	ours "$VNVETH"
	pair
	ethtool_has "$B" -g v1 "RX: 256"
	# Kept while there is no ring, and until there is one.
	run ip netns exec "$B" ethtool -G v1 rx 32
	run ip netns exec "$B" ethtool -K v1 gro on
	ethtool_has "$B" -g v1 "RX: 32"
	ethtool_has "$A" -g v0 "RX: 256"
	stream "$A" "$B" 10.77.0.2
	for size in 1024 8 65536 2 300 4096 256; do
		run ip netns exec "$B" ethtool -G v1 rx $size
		run ip netns exec "$A" ethtool -G v0 rx $size
	done
	onward 2
	end_stream
	ethtool_has "$B" -g v1 "RX: 256"
	refused "" ip netns exec "$B" ethtool -G v1 rx 0
	refused "" ip netns exec "$B" ethtool -G v1 rx 65537
	refused "" ip netns exec "$B" ethtool -G v1 tx 128
	ethtool_has "$B" -g v1 "RX: 256"
	run ip -n "$B" link set v1 down
	run ip netns exec "$B" ethtool -G v1 rx 512
	run ip -n "$B" link set v1 up
	ethtool_has "$B" -g v1 "RX: 512"
	closes "$A" v0 "$B" v1
}

# What is in a ring stays in it when it grows: nothing is lost. There is something
# in it, since packets wait for others.
test_ring_grows()
{
	local size

	ours "$VNVETH"
	pair
	run ip netns exec "$B" ethtool -K v1 gro on
	run ip netns exec "$B" ethtool -C v1 rx-usecs 10000 rx-frames 0
	start frames "$FRAMES" -w 100 "$A" v0 "$B" v1 20000 100
	for size in 257 300 512 1000 2048 4096 5000 10000 30000 65536; do
		run ip netns exec "$B" ethtool -G v1 rx $size
	done
	ended frames "$PID" 60
	is "$STATUS" 0 "every frame came, in order"
	counts "$B" v1 ip_rx_packets=20000 ip_rx_dropped=0
	closes "$A" v0 "$B" v1
}

# A ring of one holds one; all else is lost, and known to be.
test_ring_of_one()
{
	local -A b

	ours "$VNVETH"
	pair
	run ip netns exec "$B" ethtool -G v1 rx 1
	run ip netns exec "$B" ethtool -K v1 gro on
	run "$FRAMES" -w 1 "$A" v0 "$B" v1 100 100
	starve "$B" v1
	run taskset -c 0 "$PACKETS" -n "$A" v0 2000 100
	stats b "$B" v1
	((b[rx_drop_full] > 0)) || fail "nothing was lost for want of room"
	closes "$A" v0 "$B" v1
	run ip netns exec "$A" ping -qc 3 -i 0.05 -W 10 10.77.0.2
}

# A packet waits for others, for a while: it always comes.
test_coalesce()
{
	ours "$VNVETH"
	pair
	run ip netns exec "$B" ethtool -K v1 gro on
	ethtool_has "$B" -c v1 "rx-usecs: 0"
	run ip netns exec "$B" ethtool -C v1 rx-usecs 20000 rx-frames 10
	ethtool_has "$B" -c v1 "rx-usecs: 20000"
	ethtool_has "$B" -c v1 "rx-frames: 10"
	run "$FRAMES" -w 10 "$A" v0 "$B" v1 200 100
	run "$FRAMES" -w 1 "$A" v0 "$B" v1 5 100
	run "$FRAMES" -w 15 "$A" v0 "$B" v1 47 100
	run ip netns exec "$A" ping -qc 3 -i 0.05 -W 10 10.77.0.2
	# No number: the time is all that counts, or a ring that is full.
	run ip netns exec "$B" ethtool -C v1 rx-usecs 5000 rx-frames 0
	run "$FRAMES" -w 30 "$A" v0 "$B" v1 90 100
	stream "$A" "$B" 10.77.0.2
	run ip netns exec "$B" ethtool -C v1 rx-usecs 100 rx-frames 4
	run ip netns exec "$A" ethtool -C v0 rx-usecs 100
	onward 1
	run ip netns exec "$B" ethtool -C v1 rx-usecs 0
	run ip netns exec "$A" ethtool -C v0 rx-usecs 0
	end_stream
	refused "" ip netns exec "$B" ethtool -C v1 tx-usecs 10
	refused "" ip netns exec "$B" ethtool -C v1 rx-usecs 1000001
	closes "$A" v0 "$B" v1
}

# With a packet waiting: the device goes down, GRO goes off, the time is changed.
test_coalesce_ends()
{
	ours "$VNVETH"
	pair
	run ip netns exec "$B" ethtool -K v1 gro on
	run ip netns exec "$B" ethtool -C v1 rx-usecs 1000000 rx-frames 1000
	run "$PACKETS" -n "$A" v0 3 100
	run ip netns exec "$B" ethtool -C v1 rx-usecs 0
	closes "$A" v0 "$B" v1
	run "$FRAMES" "$A" v0 "$B" v1 10 100
	run ip netns exec "$B" ethtool -C v1 rx-usecs 1000000
	run "$PACKETS" -n "$A" v0 3 100
	run ip netns exec "$B" ethtool -K v1 gro off
	closes "$A" v0 "$B" v1
	run "$FRAMES" "$A" v0 "$B" v1 10 100
	run ip netns exec "$B" ethtool -K v1 gro on
	run "$PACKETS" -n "$A" v0 3 100
	run ip -n "$B" link set v1 down
	closes "$A" v0 "$B" v1
	run ip -n "$B" link set v1 up
	run "$PACKETS" -n "$A" v0 3 100
	run ip -n "$A" link del v0
}

# ---------------------------------------------------- queues

test_channels()
{
	local n

	pair_of 4
	ethtool_has "$B" -l v1 "RX: 4"
	ethtool_has "$B" -l v1 "TX: 4"
	gro on
	stream "$A" "$B" 10.77.0.2
	for n in 1 3 2 4; do
		run ip netns exec "$B" ethtool -L v1 rx $n tx $n
		run ip netns exec "$A" ethtool -L v0 tx $((5 - n)) rx $((5 - n))
	done
	gro off
	for n in 1 4; do
		run ip netns exec "$B" ethtool -L v1 rx $n tx $n
		run ip netns exec "$A" ethtool -L v0 rx $n tx $n
	done
	onward 1
	end_stream
	ethtool_has "$B" -l v1 "RX: 4"
	run ip netns exec "$A" ethtool -L v0 rx 3 tx 2
	ethtool_has "$A" -l v0 "RX: 3"
	ethtool_has "$A" -l v0 "TX: 2"
	run ip netns exec "$A" ethtool -L v0 rx 4 tx 4
	refused "" ip netns exec "$B" ethtool -L v1 rx 5
	refused "" ip netns exec "$B" ethtool -L v1 rx 0
	closes "$A" v0 "$B" v1
}

# datagrams FLOWS COUNT: from A, each flow with a port of its own. Nobody
# has asked for them, nor is told.
datagrams()
{
	# shellcheck disable=SC2016	# the inner shell expands it
	run ip netns exec "$A" bash -c '
		for ((flow = 0; flow < $1; flow++)); do
			exec 4>/dev/udp/10.77.0.2/9 || exit
			for ((i = 0; i < $2; i++)); do
				echo "$i" >&4 || exit
			done
		done' datagrams "$@"
}

test_spread()
{
	pair_of 4
	takes_napi "$A" v0
	run ip netns exec "$B" ethtool -K v1 gro on
	# not answered by ICMP errors, which the sender would be told of
	start sink ip netns exec "$B" python3 "$HERE/busy.py" 9 100000
	eventually 20 "somebody listens" says sink ready
	run ip netns exec "$A" ping -qc 1 -W 10 10.77.0.2
	run ip -n "$B" link set v1 down
	run ip -n "$B" link set v1 up
	eventually 5 "v0 has a carrier" carrier_is "$A" v0 up
	run ip -n "$A" neigh replace 10.77.0.2 dev v0 \
		lladdr "$(mac "$B" v1)" nud permanent
	run ip -n "$B" neigh replace 10.77.0.1 dev v1 \
		lladdr "$(mac "$A" v0)" nud permanent
	spread_of 1 40
	((${#USED[@]} == 1)) || fail "one flow used the queues ${USED[*]}"
	spread_of 40 3
	((${#USED[@]} > 1)) || fail "40 flows used one queue"
	note "40 flows used the queues ${USED[*]}"
	closes "$A" v0 "$B" v1
}

mac()
{
	local address

	link_field address "$1" "$2" address
	echo "$address"
}

# spread_of FLOWS COUNT: the queues that these have used more than before
spread_of()
{
	local -A before now
	local queue key

	stats before "$B" v1
	datagrams "$@"
	eventually 10 "all have come" more_than \
		$((before[ip_rx_packets] + $1 * $2 - 1)) "$B" v1 rx_packets
	stats now "$B" v1
	USED=()
	for queue in 0 1 2 3; do
		key=rx_queue_${queue}_xdp_packets
		((now[$key] == before[$key])) || USED+=("$queue")
	done
}

# ---------------------------------------------------- backpressure, bql

# starve NS DEV: its NAPI runs in a thread, and that when nobody else wants to run
# on processor 0; a sender there fills any ring.
starve()
{
	local pids pid

	run ip netns exec "$1" sh -c "echo 1 > /sys/class/net/$2/threaded"
	eventually 5 "a thread for $2" thread_of "$2"
	mapfile -t pids < <(grep -ls "^napi/$2-" /proc/[0-9]*/comm |
		cut -d / -f 3)
	for pid in "${pids[@]}"; do
		run chrt -i -p 0 "$pid"
		run taskset -cp 0 "$pid"
	done
}

# The ring has room for few, and NAPI waits: the qdisc has to keep the rest.
test_backpressure()
{
	local -A a
	local qdisc sent=0

	ours "$VNVETH"
	# shellcheck disable=SC2086	# three words
	pair $BACKPRESSURE
	run ip netns exec "$B" ethtool -G v1 rx 4
	starve "$B" v1
	# Where it drops what has waited too long, that is a quarter of an hour.
	for qdisc in "pfifo limit 10000" \
		"fq_codel limit 10000 target 1000s interval 1000s"; do
		modprobe -q "sch_${qdisc%% *}"
		# shellcheck disable=SC2086	# words
		run tc -n "$A" qdisc replace dev v0 root $qdisc
		run taskset -c 0 "$PACKETS" -n "$A" v0 500 100
		counts "$B" v1 ip_rx_packets=$((sent += 500))
		run "$FRAMES" -w 100 "$A" v0 "$B" v1 500 100
		counts "$B" v1 ip_rx_packets=$((sent += 500))
	done
	counts "$B" v1 ip_rx_packets=2000 ip_rx_dropped=0
	counts "$A" v0 ip_tx_packets=2000 ip_tx_dropped=0
	stats a "$A" v0
	note "stopped ${a[tx_stop]} times, woken ${a[tx_wake]} times"
	((a[tx_stop] > 0)) || fail "v0 was never stopped"
	((a[tx_wake] >= a[tx_stop] - 1)) || fail "v0 was not woken"
	closes "$A" v0 "$B" v1
}

test_backpressure_tcp()
{
	ours "$VNVETH"
	# shellcheck disable=SC2086	# three words
	pair $BACKPRESSURE
	run tc -n "$A" qdisc replace dev v0 root pfifo limit 10000
	run tc -n "$B" qdisc replace dev v1 root pfifo limit 10000
	run ip netns exec "$B" ethtool -G v1 rx 2
	run ip netns exec "$A" ethtool -G v0 rx 2
	stream "$A" "$B" 10.77.0.2
	onward 3
	end_stream
	counts "$A" v0 ip_tx_dropped=0
	counts "$B" v1 ip_tx_dropped=0
	closes "$A" v0 "$B" v1
}

# A queue that was stopped goes on after whatever happens to its peer.
test_backpressure_ends()
{
	local flood CORE_DROPS=1

	ours "$VNVETH"
	# shellcheck disable=SC2086	# three words
	pair $BACKPRESSURE
	run tc -n "$A" qdisc replace dev v0 root pfifo limit 1000
	run ip netns exec "$B" ethtool -G v1 rx 4
	starve "$B" v1
	start flood taskset -c 0 "$PACKETS" -n "$A" v0 0 100
	flood=$PID
	eventually 10 "v0 is stopped" at_least 3 "$A" v0 tx_stop
	for _ in 1 2 3; do
		run ip -n "$B" link set v1 down
		run ip -n "$B" link set v1 up
	done
	run ip netns exec "$B" ethtool -G v1 rx 8
	run ip netns exec "$B" ethtool -G v1 rx 2
	run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 34 00
	run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 34 01
	run kill "$flood"
	ended flood "$flood" 10
	eventually 10 "the qdisc is empty" qdisc_empty
	run tc -n "$A" qdisc del dev v0 root
	closes "$A" v0 "$B" v1
	run ip netns exec "$B" ethtool -G v1 rx 64
	run "$FRAMES" "$A" v0 "$B" v1 100 100
	start flood "$PACKETS" -n "$A" v0 0 100
	receives 300 "$B" v1
	run ip -n "$B" link del v1
	ended flood "$PID" 10
	is "$STATUS" 1 "status of the sender whose interface is gone"
}

qdisc_empty()
{
	tc -n "$A" -s qdisc show dev v0 | grep -q "backlog 0b 0p"
}

# Without a qdisc there is nowhere to keep them.
test_no_qdisc()
{
	local -A a

	ours "$VNVETH"
	# shellcheck disable=SC2086	# three words
	pair $BACKPRESSURE
	run ip netns exec "$B" ethtool -G v1 rx 4
	starve "$B" v1
	run taskset -c 0 "$PACKETS" -n "$A" v0 1000 100
	stats a "$A" v0
	((a[tx_drop_full] > 0 && a[ip_tx_dropped] > 0)) ||
		fail "nothing was dropped of 1000 packets for a ring of 4"
	is "${a[tx_stop]}" 0 "times that v0 was stopped"
	closes "$A" v0 "$B" v1
}

test_bql()
{
	local limits=/sys/class/net/v0/queues/tx-0/byte_queue_limits limit
	local CORE_DROPS=1

	ours "$VNVETH"
	# shellcheck disable=SC2086	# three words
	pair $BQL
	ip netns exec "$A" test -d $limits ||
		skip "this kernel has no BQL, or hides it for a device without a queue"
	modprobe -q sch_fq_codel
	run tc -n "$A" qdisc replace dev v0 root fq_codel
	stream "$A" "$B" 10.77.0.2
	onward 3
	end_stream
	read_file limit "$A" $limits/limit
	((limit > 0)) || fail "no limit was found"
	eventually 10 "nothing is in flight" inflight_is 0
	# off and on, under way
	stream "$A" "$B" 10.77.0.2
	for limit in 00 01 00 01; do
		run "$NEWLINK" -n "$A" set v0 kind "$VNVETH" info 35 $limit
		run ip -n "$B" link set v1 down
		run ip -n "$B" link set v1 up
	done
	onward 1
	end_stream
	eventually 10 "nothing is in flight" inflight_is 0
	run tc -n "$A" qdisc del dev v0 root
	run "$FRAMES" "$A" v0 "$B" v1 300 1000
	eventually 10 "nothing is in flight" inflight_is 0
	closes "$A" v0 "$B" v1
}

inflight_is()
{
	[[ $(ip netns exec "$A" cat \
		/sys/class/net/v0/queues/tx-0/byte_queue_limits/inflight) == "$1" ]]
}

# ---------------------------------------------------- how NAPI runs

test_threaded()
{
	local file=/sys/class/net/v1/threaded

	pair
	ip netns exec "$B" test -e $file || skip "this kernel has no such NAPI"
	run ip netns exec "$B" ethtool -K v1 gro on
	run ip netns exec "$B" sh -c "echo 1 > $file"
	eventually 5 "a thread for v1" thread_of v1
	run "$FRAMES" "$A" v0 "$B" v1 200 100
	stream "$A" "$B" 10.77.0.2
	run ip netns exec "$B" sh -c "echo 0 > $file"
	onward 1
	run ip netns exec "$B" sh -c "echo 1 > $file"
	onward 1
	run ip netns exec "$B" ethtool -K v1 gro off
	end_stream
	closes "$A" v0 "$B" v1
}

thread_of()
{
	grep -qs "^napi/$1-" /proc/[0-9]*/comm
}

test_busy_poll()
{
	local napi

	pair
	takes_napi "$A" v0
	run ip netns exec "$B" ethtool -K v1 gro on
	start busy ip netns exec "$B" python3 "$HERE/busy.py" 9 100
	eventually 20 "somebody listens" says busy ready
	run ip netns exec "$A" ping -qc 1 -W 10 10.77.0.2
	datagrams 1 100
	ended busy "$PID" 30
	is "$STATUS" 0 "status of the receiver"
	napi=$(sed -n 's/^napi //p' "$WORK/busy")
	((napi > 0)) || fail "the socket does not know its NAPI"
	closes "$A" v0 "$B" v1
}

# ---------------------------------------------------- the counters

# Those of in-tree veth come first, by its names and in its order.
test_names()
{
	local theirs ours way queue key missing=
	local reasons="down full backlog too_big short ucopy nomem protocol"

	reasons+=" xdp xdp_aborted xdp_error"
	need_in_tree veth
	setup_ns A
	run ip -n "$A" link add v0 numtxqueues 2 numrxqueues 3 type "$VNVETH"
	run ip -n "$A" link add in_tree numtxqueues 2 numrxqueues 3 type veth
	names ours v0
	names theirs in_tree
	# veth has pools of pages, some kernels tell of them.
	theirs=$(grep -vE '^rx_pp_|page_pool' <<< "$theirs")
	is "$(head -n "$(wc -l <<< "$theirs")" <<< "$ours")" "$theirs" \
		"the first counters"
	[[ $VNVETH == vnveth ]] || return 0
	for key in rx_packets rx_bytes rx_xdp_copied tx_packets tx_bytes \
		tx_stop tx_wake; do
		has "$key"
	done
	for way in rx tx; do
		for key in $reasons; do
			has "${way}_drop_$key"
		done
	done
	for queue in rx_queue_{0,1,2} tx_queue_{0,1}; do
		for key in packets bytes drop_down drop_full; do
			has "${queue}_$key"
		done
	done
	[[ ! $missing ]] || fail "there is no counter$missing"
}

names()
{
	local all

	capture all ip netns exec "$A" ethtool -S "$2"
	printf -v "$1" '%s' "$(sed -n 's/^ *\([a-z0-9_]*\): .*/\1/p' \
		<<< "$all")"
}

has()
{
	[[ $'\n'$ours$'\n' == *$'\n'$1$'\n'* ]] || missing+=" $1"
}

subtests \
	gro "GRO switched under traffic" \
	gro_joins "GRO joins what came in pieces" \
	down_and_up "down and up under traffic" \
	ring "the ring's length, under traffic" \
	ring_grows "a ring that grows loses nothing" \
	ring_of_one "a ring of one packet" \
	coalesce "packets wait for others, not for ever" \
	coalesce_ends "what waits when the waiting ends" \
	channels "the number of queues, under traffic" \
	spread "flows spread over queues, one flow does not" \
	backpressure "a full ring stops a queue with a qdisc" \
	backpressure_tcp "TCP through a ring of two, without loss" \
	backpressure_ends "a stopped queue goes on" \
	no_qdisc "without a qdisc a full ring loses, and counts" \
	bql "byte queue limits" \
	threaded "NAPI in a thread" \
	busy_poll "a socket polls NAPI" \
	names "the names of the counters"
