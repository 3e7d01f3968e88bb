#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The stations of a packet's life, as our tracepoints tell them: which, in which
# order, and with what. Nothing else sends packets here.
#
#   namespace A                      namespace B
#     d0
#     v0 ============= pair ============= v1
#     t0 === program (frame.py)

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_links.sh"
need_kind "$VNVETH" "$VNDUMMY"
need_tools ip ethtool python3
need_helpers newlink packets xdp
need_device

TRACING=/sys/kernel/tracing
[[ -d $TRACING/events ]] || mount -t tracefs tracefs "$TRACING" 2>/dev/null ||
	skip_all "this kernel has no tracefs"
[[ -d $TRACING/events/vnic ]] || skip_all "this kernel has no tracepoints"

# A buffer of our own, that nobody else writes to
listen()
{
	INSTANCE=$TRACING/instances/vnic-$$
	mkdir "$INSTANCE" || fail "no buffer for traces"
	defer rmdir "$INSTANCE"
	defer sh -c "echo 0 >'$INSTANCE/events/enable'"
	echo 1 >"$INSTANCE/events/vnic/enable"
}

# heard: stations since listen or the last time, a line each: name, device,
# queue, and what the station has to tell
heard()
{
	sort -s -k 4,4 "$INSTANCE/trace" | sed -n -E '/^#/d
		s/.* vnic_([a-z]+): dev=([^ ]+) .*queue=([0-9]+)(.*)$/\1 \2 \3\4/
		s/ (skbaddr|peer_ifindex|peer_netns|reason)=[^ ]*//g
		p'
}

# stations TEXT: they are these, at last
stations_are()
{
	GOT=$(heard)
	[[ $GOT == "$1" ]]
}

stations()
{
	local wanted

	wanted=$(sed 's/^[ \t]*//; /^$/d' <<<"$1")
	within 5 stations_are "$wanted"
	note "$GOT"
	is "$GOT" "$wanted" stations
	: >"$INSTANCE/trace"
}

setup()
{
	setup_ns A B
	silence "$A" "$B"
}

# one NS DEV [COUNT]
one()
{
	run "$PACKETS" -n "$1" "$2" "${3:-1}" 60
}

test_dummy()
{
	setup
	setup_dummy "$A"
	listen
	one "$A" d0
	stations "deliver d0 0 len=60 protocol=0x0800 how=nowhere"
}

loopback()
{
	setup
	setup_dummy "$A" info 32 01
}

test_loopback()
{
	loopback
	listen
	one "$A" d0
	stations "
		handover d0 0 len=60 protocol=0x0800 peer=d0
		queue d0 0 len=60 protocol=0x0800 place=rxq depth=0
		polled d0 0 len=60 protocol=0x0800 place=rxq depth=0
		deliver d0 0 len=60 protocol=0x0800 how=gro"
}

test_loopback_cell()
{
	loopback
	run ip netns exec "$A" ethtool -K d0 gro off
	listen
	one "$A" d0
	stations "
		handover d0 0 len=60 protocol=0x0800 peer=d0
		queue d0 0 len=60 protocol=0x0800 place=cell depth=0
		polled d0 0 len=60 protocol=0x0800 place=cell depth=0
		deliver d0 0 len=60 protocol=0x0800 how=one"
}

test_pair()
{
	setup
	setup_pair "$A" "$B"
	listen
	one "$A" v0
	stations "
		handover v0 0 len=60 protocol=0x0800 peer=v1
		queue v1 0 len=60 protocol=0x0800 place=cell depth=0
		polled v1 0 len=60 protocol=0x0800 place=cell depth=0
		deliver v1 0 len=60 protocol=0x0800 how=one"
}

test_pair_gro()
{
	setup
	setup_pair "$A" "$B"
	run ip netns exec "$B" ethtool -K v1 gro on
	listen
	one "$A" v0
	stations "
		handover v0 0 len=60 protocol=0x0800 peer=v1
		queue v1 0 len=60 protocol=0x0800 place=rxq depth=0
		polled v1 0 len=60 protocol=0x0800 place=rxq depth=0
		deliver v1 0 len=60 protocol=0x0800 how=gro"
}

test_xdp()
{
	setup
	setup_pair "$A" "$B"
	xdp "$B" v1 verdict 1
	listen
	one "$A" v0
	stations "
		handover v0 0 len=60 protocol=0x0800 peer=v1
		queue v1 0 len=60 protocol=0x0800 place=rxq depth=0
		polled v1 0 len=60 protocol=0x0800 place=rxq depth=0
		xdp v1 0 len=60 protocol=0x0800 act=drop
		drop v1 0 len=60 protocol=0x0800 counter=rx_drop_xdp"
}

# A packet that is too long for the other end
test_lost()
{
	setup
	setup_pair "$A" "$B"
	run ip -n "$B" link set v1 mtu 100
	listen
	run "$PACKETS" -n "$A" v0 1 500
	stations "
		drop v0 0 len=500 protocol=0x0800 counter=tx_drop_too_big
		drop v1 0 len=0 protocol=0x0000 counter=rx_drop_too_big"
}

# tap [ARG...]: a vntap (or as MODE says) that is up, and listened to
tap()
{
	setup
	run ip -n "$A" link add t0 type "vn${MODE:-tap}"
	run ip -n "$A" link set t0 up
	listen
}

# frame SAYS WORD...: the program does that
frame()
{
	local said

	note "+ frame.py ${MODE:-tap} t0 ${*:2}"
	said=$(ip netns exec "$A" python3 "$HERE/frame.py" "${MODE:-tap}" t0 \
		"${@:2}")
	is "$said" "$1" frame.py
}

test_write()
{
	tap
	frame 60 write 60
	stations "
		enter t0 0 len=60
		checked t0 0 len=60 protocol=0x88b5
		deliver t0 0 len=60 protocol=0x88b5 how=one"
	frame EINVAL write 13
	stations "
		enter t0 0 len=13
		drop t0 0 len=0 protocol=0x0000 counter=rx_drop_short"
}

# Before it is a packet, so without an address
test_write_xdp()
{
	tap
	xdp "$A" t0 verdict 1
	frame 60 write 60
	stations "
		enter t0 0 len=60
		xdp t0 0 len=60 protocol=0x0000 act=drop
		drop t0 0 len=0 protocol=0x0000 counter=rx_drop_xdp"
}

test_send()
{
	tap
	frame 2 send 2 60
	stations "
		enter t0 0 len=60
		checked t0 0 len=60 protocol=0x88b5
		enter t0 0 len=60
		checked t0 0 len=60 protocol=0x88b5
		deliver t0 0 len=60 protocol=0x88b5 how=list
		deliver t0 0 len=60 protocol=0x88b5 how=list"
}

test_napi()
{
	tap
	frame 60 napi write 60
	stations "
		enter t0 0 len=60
		checked t0 0 len=60 protocol=0x88b5
		queue t0 0 len=60 protocol=0x88b5 place=backlog depth=0
		polled t0 0 len=60 protocol=0x88b5 place=backlog depth=0
		deliver t0 0 len=60 protocol=0x88b5 how=gro"
}

# sleeps PID: in read() or ioctl()
sleeps()
{
	[[ $(cat "/proc/$1/syscall" 2>/dev/null) =~ ^(0|16)\  ]]
}

# reader WORD...
reader()
{
	start reader ip netns exec "$A" python3 "$HERE/frame.py" \
		"${MODE:-tap}" t0 "$@"
	READER=$PID
	eventually 20 "the program sleeps" sleeps "$READER"
}

test_read()
{
	tap
	reader read
	one "$A" t0
	ended reader "$READER" 10
	stations "
		queue t0 0 len=60 protocol=0x0800 place=ring depth=0
		wake t0 0 waiter=reader
		taken t0 0 len=60 protocol=0x0800"
}

test_recv()
{
	tap
	reader recv 2
	one "$A" t0
	# Awake, it has taken that one, and sleeps again.
	eventually 10 "one is taken" takes 1
	eventually 10 "the program sleeps" sleeps "$READER"
	one "$A" t0
	ended reader "$READER" 10
	stations "
		queue t0 0 len=60 protocol=0x0800 place=ring depth=0
		wake t0 0 waiter=reader
		taken t0 0 len=60 protocol=0x0800
		queue t0 0 len=60 protocol=0x0800 place=ring depth=0
		wake t0 0 waiter=reader
		taken t0 0 len=60 protocol=0x0800"
}

takes()
{
	(($(grep -c vnic_taken "$INSTANCE/trace") >= $1))
}

# Two packets that nobody reads, for a ring of one
test_full()
{
	tap
	start holder ip netns exec "$A" python3 "$HERE/frame.py" tap t0 hold
	eventually 20 "t0 has a carrier" carrier_is "$A" t0 up
	run ip -n "$A" link set t0 txqueuelen 1
	one "$A" t0 2
	stations "
		queue t0 0 len=60 protocol=0x0800 place=ring depth=0
		full t0 0 len=60 protocol=0x0800 place=ring depth=1
		drop t0 0 len=60 protocol=0x0800 counter=tx_drop_full"
}

test_tun()
{
	local MODE=tun

	tap
	frame 40 write 40
	stations "
		enter t0 0 len=40
		checked t0 0 len=40 protocol=0x0800
		deliver t0 0 len=40 protocol=0x0800 how=one"
}

subtests \
	dummy "into a vndummy: nowhere" \
	loopback "into a vndummy and back: a ring" \
	loopback_cell "into a vndummy without GRO and back: a cell" \
	pair "across a pair: a cell" \
	pair_gro "across a pair with GRO: a ring" \
	xdp "across a pair, to an XDP program" \
	lost "across a pair: too long" \
	write "from a program: one frame, and one too short" \
	write_xdp "from a program, to an XDP program" \
	send "from a program: a batch" \
	napi "from a program, by NAPI" \
	read "to a program that sleeps" \
	recv "to a program that waits for two" \
	full "to a program that does not read" \
	tun "from a program: an IP packet"
