#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# vnic-pcap: a capture file fed into a device, and what it sends captured.
#
#      namespace A
#                 --- receives --- t0 <--- vnic-pcap --read  <--- file
#   tcpdump, packets
#                 ----- sends ---- t0 ---> vnic-pcap --write ---> file

. "$(dirname "$0")/lib.sh"
need_kind vntap
need_tools ping tcpdump
need_helpers packets
need_programs vnic-pcap

# Everything here is written by printf into variables: a process for each
# number would take its time.

# le32 VAR NUMBER...: four bytes each, as printf's format wants them
le32()
{
	local number all='' bytes

	for number in "${@:2}"; do
		printf -v bytes '\\x%02x\\x%02x\\x%02x\\x%02x' \
			$((number & 255)) $(((number >> 8) & 255)) \
			$(((number >> 16) & 255)) $(((number >> 24) & 255))
		all+=$bytes
	done
	printf -v "$1" '%s' "$all"
}

# begin_capture FILE LINK-TYPE: with nanoseconds. 1 is Ethernet, 101 is IP.
begin_capture()
{
	local head tail

	le32 head 0xa1b23c4d
	le32 tail 0 0 65535 "$2"
	# shellcheck disable=SC2059	# it is a format
	printf "$head\2\0\4\0$tail" > "$1"
}

# record FILE SECONDS NANOSECONDS HEX: a packet more
record()
{
	local head bytes='' i

	le32 head "$2" "$3" $((${#4} / 2)) $((${#4} / 2))
	for ((i = 0; i < ${#4}; i += 2)); do
		bytes+="\\x${4:i:2}"
	done
	# shellcheck disable=SC2059	# it is a format
	printf "$head$bytes" >> "$1"
}

# A broadcast of a type that nobody handles, with number $1 in it, 60 bytes.
frame()
{
	printf -v HEX 'ffffffffffff02000000000188b5%08x%084x' "$1" "$1"
}

# An IPv4 packet to nobody, with number $1 as its identification, 24 bytes.
packet()
{
	printf -v HEX '45000018%04x000040fd00000a4f0002c0000201%08x' "$1" "$1"
}

# frames FILE COUNT: one each millisecond
frames()
{
	local i

	begin_capture "$1" 1
	for ((i = 0; i < $2; i++)); do
		frame "$i"
		record "$1" 1000000000 $((i * 1000000)) "$HEX"
	done
	note "$1: $2 frames"
}

# pcap ARGUMENT...: to its end, what it says in $SAID, with its $STATUS
pcap()
{
	note "+ vnic-pcap $*"
	SAID=$(timeout 30 "$VNIC_PCAP" "$@" 2>&1 {IDLE}>&-)
	STATUS=$?
	note "$SAID"
}

# said STATUS TEXT...
said()
{
	local text

	is "$STATUS" "$1" "status"
	for text in "${@:2}"; do
		[[ $SAID == *"$text"* ]] || fail "it does not say '$text'"
	done
}

# What is in a capture file, without its times.
contents()
{
	tcpdump -r "$1" -tnxx 2>/dev/null
}

# A device that stays, so that the counters can be read afterwards.
device()
{
	setup_ns A
	silence "$A"
	run ip -n "$A" link add t0 type "${1:-vntap}"
	run ip -n "$A" link set t0 up
}

# watch OPTION...: tcpdump at the stack's end, to $WORK/seen
watch()
{
	start tcpdump ip netns exec "$A" tcpdump -i t0 -U -nn -w "$WORK/seen" \
		"$@"
	eventually 20 "tcpdump listens" says tcpdump "listening on"
}

seen()
{
	(($(contents "$WORK/seen" | grep -c '^[^	 ]') >= $1))
}

test_feed()
{
	local -A now

	device
	frames "$WORK/in" 100
	watch -Q in ether proto 0x88b5
	pcap --read "$WORK/in" --fast "tap:t0@$A"
	said 0 "fed 100 packets, 6000 bytes, 0 refused"
	counters now "$A" t0
	is "${now[rx_packets]}" 100 rx_packets
	is "${now[rx_bytes]}" 6000 rx_bytes
	eventually 5 "tcpdump has seen them" seen 100
	is "$(contents "$WORK/seen")" "$(contents "$WORK/in")" \
		"what the stack has received"
}

# Never before its time: so this takes as long as the capture at least. A time
# that goes back is now; order is kept.
test_times()
{
	local i begin times=(0 300 100 600 599) file=$WORK/in

	device
	begin_capture "$file" 1
	for i in "${!times[@]}"; do
		frame "$i"
		record "$file" 1000000000 $((times[i] * 1000000)) "$HEX"
	done
	watch -Q in ether proto 0x88b5
	begin=${EPOCHREALTIME/./}
	pcap --read "$file" "tap:t0@$A"
	said 0 "fed 5 packets"
	((${EPOCHREALTIME/./} - begin >= 600000)) ||
		fail "600 ms were over in $((${EPOCHREALTIME/./} - begin)) us"
	eventually 5 "tcpdump has seen them" seen 5
	is "$(contents "$WORK/seen")" "$(contents "$file")" "the order"
	# The same three times takes three times as long.
	begin=${EPOCHREALTIME/./}
	pcap --read "$file" --loop 3 "tap:t0@$A"
	said 0 "fed 15 packets"
	((${EPOCHREALTIME/./} - begin >= 1800000)) ||
		fail "1800 ms were over in $((${EPOCHREALTIME/./} - begin)) us"
	# A year between two packets is nothing for one in a hurry.
	begin_capture "$file" 1
	frame 0
	record "$file" 1000000000 0 "$HEX"
	record "$file" 1031536000 0 "$HEX"
	pcap --read "$file" --fast "tap:t0@$A"
	said 0 "fed 2 packets"
}

test_loop()
{
	local -A now

	device
	frames "$WORK/in" 30
	pcap --read "$WORK/in" --fast --loop 4 "tap:t0@$A"
	said 0 "fed 120 packets, 7200 bytes"
	# Without an end, until it is told.
	start vnic-pcap "$VNIC_PCAP" --read "$WORK/in" --fast --loop 0 \
		"tap:t0@$A"
	receives 1000 "$A" t0
	run kill "$PID"
	ended vnic-pcap "$PID" 10
	is "$STATUS" 0 "status after SIGTERM"
	counters now "$A" t0
	says vnic-pcap "fed $((now[rx_packets] - 120)) packets" ||
		fail "the interface has counted ${now[rx_packets]}"
	# An empty file has no end to reach a second time.
	begin_capture "$WORK/in" 1
	pcap --read "$WORK/in" --loop 0 "tap:t0@$A"
	said 0 "fed 0 packets"
	# From a pipe
	frames "$WORK/in" 10
	note "+ cat ... | vnic-pcap --read - --fast"
	SAID=$("$VNIC_PCAP" --read - --fast "tap:t0@$A" 2>&1 <"$WORK/in")
	STATUS=$?
	said 0 "fed 10 packets"
}

# bytes FILE OFFSET COUNT, in hexadecimal
bytes()
{
	od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'
}

test_write()
{
	device
	watch -Q out
	start vnic-pcap "$VNIC_PCAP" --write "$WORK/out" --count 50 "tap:t0@$A"
	eventually 10 "it is attached" carrier_is "$A" t0 up
	run "$PACKETS" -n "$A" t0 50 1000
	ended vnic-pcap "$PID" 10
	is "$STATUS" 0 "status"
	says vnic-pcap "wrote 50 packets, 50000 bytes, 0 cut" || fail "counts"
	eventually 5 "tcpdump has seen them" seen 50
	is "$(contents "$WORK/out")" "$(contents "$WORK/seen")" \
		"what the device has sent"
	is "$(bytes "$WORK/out" 0 4)" 4d3cb2a1 "nanoseconds"
	is "$(bytes "$WORK/out" 20 4)" 01000000 "Ethernet"
}

# until SIGINT, and what waits in the device is not lost by --linger 0
test_write_end()
{
	device
	start vnic-pcap "$VNIC_PCAP" -w "$WORK/out" -s 40 "tap:t0@$A"
	eventually 10 "it is attached" carrier_is "$A" t0 up
	run "$PACKETS" -n "$A" t0 3 1000
	eventually 10 "the device has sent them" \
		more_than 2 "$A" t0 tx_packets
	run kill -INT "$PID"
	ended vnic-pcap "$PID" 10
	is "$STATUS" 0 "status"
	says vnic-pcap "wrote 3 packets, 3000 bytes, 3 cut" || fail "counts"
	is "$(stat -c %s "$WORK/out")" $((24 + 3 * 56)) "size of the file"
	# kept, and the whole length
	is "$(bytes "$WORK/out" 32 8)" 28000000e8030000 "lengths of the first"
}

# Both at once: each echo request that is fed is answered by the stack, and
# the answer is captured.
test_both()
{
	local i sum

	device
	run ip -n "$A" addr add 10.79.0.1/24 dev t0
	run ip -n "$A" link set t0 address 02:00:00:00:00:02
	run ip -n "$A" neigh add 10.79.0.2 dev t0 lladdr 02:00:00:00:00:01
	begin_capture "$WORK/in" 1
	for i in {1..20}; do
		# type 8, code 0, identification 1, number i, no data
		printf -v sum %04x $((0xffff - 0x0800 - 1 - i))
		printf -v HEX '%s%s%s0800%s0001%04x' \
			0200000000020200000000010800 \
			4500001c00000000400166410a4f0002 0a4f0001 "$sum" "$i"
		record "$WORK/in" 1 $((i * 1000)) "$HEX"
	done
	pcap -r "$WORK/in" -w "$WORK/out" -c 20 "tap:t0@$A"
	said 0 "fed 20 packets, 840 bytes, 0 refused" \
		"wrote 20 packets, 840 bytes"
	is "$(contents "$WORK/out" | grep -c "ICMP echo reply, id 1")" 20 \
		"answers"
	# Without a count it waits as long as it was told.
	pcap -r "$WORK/in" -f -w "$WORK/out" -t 2 "tap:t0@$A"
	said 0 "fed 20 packets" "wrote 20 packets"
}

test_tun()
{
	local i
	local -A now

	device vntun
	run ip -n "$A" addr add 10.79.0.1/24 dev t0
	begin_capture "$WORK/in" 101
	for i in {1..20}; do
		packet "$i"
		record "$WORK/in" 1 "$i" "$HEX"
	done
	watch -Q in net 192.0.2.0/24
	pcap -r "$WORK/in" -f "tun:t0@$A"
	said 0 "fed 20 packets, 480 bytes, 0 refused"
	eventually 5 "tcpdump has seen them" seen 20
	is "$(contents "$WORK/seen")" "$(contents "$WORK/in")" \
		"what the stack has received"
	start vnic-pcap "$VNIC_PCAP" -w "$WORK/out" -c 5 "tun:t0@$A"
	eventually 10 "it is attached" carrier_is "$A" t0 up
	ip netns exec "$A" ping -qc 5 -i 0.02 -W 0.1 10.79.0.2 >/dev/null
	ended vnic-pcap "$PID" 10
	is "$(bytes "$WORK/out" 20 4)" 65000000 "IP packets"
	is "$(contents "$WORK/out" | grep -c "10.79.0.2: ICMP echo request")" \
		5 "questions"
	# Those that are no IP are refused, each by itself.
	begin_capture "$WORK/in" 101
	packet 1
	record "$WORK/in" 1 0 "$HEX"
	record "$WORK/in" 1 0 ffffffffffffffffffffffffffffffffffffffffffffffff
	record "$WORK/in" 1 0 "$HEX"
	counters now "$A" t0
	pcap -r "$WORK/in" "tun:t0@$A"
	said 3 "fed 2 packets, 48 bytes, 1 refused" "not IP where IP is wanted"
}

test_wrong()
{
	device
	frames "$WORK/in" 3
	pcap
	said 2 "name one device"
	pcap -r "$WORK/in" t0
	said 2 "a device is tap:NAME"
	pcap "tap:t0@$A"
	said 2 "nothing to do"
	pcap -r "$WORK/in" -c 3 "tap:t0@$A"
	said 2 "--count counts"
	pcap -r - -l 2 "tap:t0@$A"
	said 2 "but once"
	pcap -r "$WORK/in" -l many "tap:t0@$A"
	said 2 "give a number"
	pcap -r "$WORK/nothing" "tap:t0@$A"
	said 1 "No such file"
	pcap -r "$0" "tap:t0@$A"
	said 1 "unknown file format"
	pcap -r "$WORK/in" "tun:x0@$A"
	said 1 "Ethernet" "wants IP packets"
	pcap -r "$WORK/in" tap:t0@nowhere
	said 1 "no such network namespace"
	truncate -s -1 "$WORK/in"
	pcap -r "$WORK/in" -f "tap:t0@$A"
	said 1 "truncated"
	pcap -w "$WORK/no/such/folder" "tap:t0@$A"
	said 1 "No such file"
	frames "$WORK/in" 3
	start vnic-pcap "$VNIC_PCAP" -w /dev/full -c 3 "tap:t0@$A"
	eventually 10 "it is attached" carrier_is "$A" t0 up
	run "$PACKETS" -n "$A" t0 3 1000
	ended vnic-pcap "$PID" 10
	is "$STATUS" 1 "status with a full disk"
	says vnic-pcap "No space left" || fail "it does not say why"
	run "$VNIC_PCAP" --help
	run "$VNIC_PCAP" --version
}

test_deleted()
{
	device
	start vnic-pcap "$VNIC_PCAP" -w "$WORK/out" "tap:t0@$A"
	eventually 10 "it is attached" carrier_is "$A" t0 up
	run "$PACKETS" -n "$A" t0 3 1000
	eventually 10 "the device has sent them" \
		more_than 2 "$A" t0 tx_packets
	run ip -n "$A" link del t0
	ended vnic-pcap "$PID" 10
	is "$STATUS" 1 "status"
	says vnic-pcap "there is no device" || fail "it does not say why"
	is "$(contents "$WORK/out" | grep -c '^[^	 ]')" 3 \
		"packets in the file"
}

subtests \
	feed "a capture is fed as it is, and counted" \
	times "never before its time, and in order" \
	loop "again and again; from a pipe" \
	write "what the device sends is written as it is" \
	write_end "until a signal; cut packets" \
	both "fed and captured at once" \
	tun "IP packets; what is none is refused" \
	wrong "what is wrong is said, with its own exit status" \
	deleted "the device is deleted"
