#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# An interface with a program at its other end: vntun, and by way of vntap.sh,
# which only names the other kind, vntap.
#
#      one namespace for each test of fd_*.c
#
#        fd_* -- read, write, poll, ioctl -- /dev/vnic -- interface
#         \___________ AF_PACKET, UDP, rtnetlink, BPF ________/
#
#      namespace LEFT                              namespace RIGHT
#
#        ping                                        (answers)
#         |                                              |
#        t0 10.78.0.1/24                       t0 10.78.0.2/24
#         |                                              |
#        socat ============= Unix datagrams ========== socat
#
# VNIC_DEV=/dev/net/tun runs all that applies against the in-tree driver.
# To see more of one test: build/selftests/fd_packet -r packet.tun.too_short

KIND=${KIND:-vntun}
MODE=${KIND#vn}
export VNIC_DEV=${VNIC_DEV:-/dev/vnic}

. "$(dirname "$0")/lib.sh"
[[ $VNIC_DEV != */net/tun ]] || KIND=tun
need_kind "$KIND"
need_helpers fd_attach fd_ioctl fd_packet fd_wait fd_ring fd_sndbuf fd_life \
	fd_queue fd_vnet fd_filter fd_napi fd_backpressure fd_xdp fd_batch \
	fd_ethtool fd_netlink fd_uring fd_netns fd_errno fd_shared \
	fd_libvnic fd_socket fd_vhost
# Modules that some of them need; without, those are skipped.
for module in 8021q veth tun vhost_net; do
	modprobe -q "$module" || true
done

# Its results are nested in ours.
program()
{
	note "+ $(basename "$1") -v $MODE"
	"$1" -v "$MODE" 2>&1 | sed -u 's/^/# /' >&3
	((PIPESTATUS[0] == 0)) || fail "$(basename "$1"): see above"
}

test_attach() { program "$FD_ATTACH"; }
test_ioctl() { program "$FD_IOCTL"; }
test_packet() { program "$FD_PACKET"; }
test_wait() { program "$FD_WAIT"; }
test_ring() { program "$FD_RING"; }
test_sndbuf() { program "$FD_SNDBUF"; }
test_life() { program "$FD_LIFE"; }
test_queue() { program "$FD_QUEUE"; }
test_vnet() { program "$FD_VNET"; }
test_filter() { program "$FD_FILTER"; }
test_napi() { program "$FD_NAPI"; }
test_backpressure() { program "$FD_BACKPRESSURE"; }
test_xdp() { program "$FD_XDP"; }
test_batch() { program "$FD_BATCH"; }
test_shared() { program "$FD_SHARED"; }
test_socket() { program "$FD_SOCKET"; }
test_vhost() { program "$FD_VHOST"; }
test_libvnic() { program "$FD_LIBVNIC"; }
test_ethtool() { program "$FD_ETHTOOL"; }
test_netlink() { program "$FD_NETLINK"; }
test_uring() { program "$FD_URING"; }
test_netns() { program "$FD_NETNS"; }
test_errno() { program "$FD_ERRNO"; }

# What a program does on the file, on the socket in its place
on_socket()
{
	[[ $KIND != tun ]] || skip "in-tree tun has no socket that one can have"
	export VNIC_FACE=socket
	program "$1"
}

FACES=()
for name in packet ring vnet filter napi backpressure xdp batch sndbuf uring wait; do
	eval "test_socket_$name() { on_socket \"\$FD_${name^^}\"; }"
	FACES+=("socket_$name" "on the socket: what fd_$name does on the file")
done

# A device for a program to come, in namespace $1
make_device()
{
	if [[ $KIND == tun ]]; then
		run ip -n "$1" tuntap add t0 mode "$MODE"
	else
		run ip -n "$1" link add t0 type "$KIND"
	fi
}

test_link()
{
	local type=none most=65535 txqlen=500 info

	[[ $KIND != tun ]] || skip "in-tree tun is not made by netlink"
	if [[ $KIND == vntap ]]; then
		type=ether
		most=65521
		txqlen=1000
	fi
	setup_ns NS
	run ip -n "$NS" link add type "$KIND"
	run ip -n "$NS" link add type "$KIND"
	exists "$NS" "${KIND}1" || fail "the second one is no ${KIND}1"
	link_has "$NS" "${KIND}0" info_kind="$KIND" link_type="$type" mtu=1500 \
		txqlen="$txqlen" min_mtu=68 max_mtu="$most" operstate=DOWN
	capture info ip netns exec "$NS" ethtool -i "${KIND}0"
	[[ $info == *"driver: $KIND"$'\n'* ]] || fail "the driver is no $KIND"
	[[ $info == *"bus-info: $MODE"$'\n'* ]] || fail "the bus is no $MODE"
	run ip -n "$NS" link set "${KIND}0" up
	carrier_is "$NS" "${KIND}0" down ||
		fail "a carrier, but no program attached"
	run ip -n "$NS" link del "${KIND}0"
	gone "$NS" "${KIND}0" || fail "${KIND}0 is still there"
	# the other one goes with its namespace
}

# KiB that the kernel has in use where devices come from
memory()
{
	awk '/^(Slab|Percpu|VmallocUsed):/ { sum += $2 }
		END { print sum }' /proc/meminfo
}

# cost VAR QUEUES: KiB of twenty devices, which are left in $NS
cost()
{
	local before i

	before=$(memory)
	for i in {1..20}; do
		echo "link add q$2-$i numtxqueues $2 numrxqueues $2 type $KIND"
	done >"$WORK/batch"
	run ip -n "$NS" -batch "$WORK/batch"
	printf -v "$1" %d $(($(memory) - before))
	note "$2 queues: ${!1} KiB for twenty devices"
}

# A device costs what its queues cost, not what 256 would.
test_memory()
{
	# shellcheck disable=SC2034 # the first only fills caches
	local warm few many

	[[ $KIND != tun ]] || skip "in-tree tun has 256 queues or one"
	((${VNIC_PATIENCE:-1} == 1)) ||
		skip "a kernel that checks itself keeps what was freed for a while"
	setup_ns NS
	cost warm 2
	cost few 4
	cost many 256
	# A few pages of others' come and go meanwhile.
	((many > 1000 && few * 4 < many)) ||
		fail "4 queues cost $few KiB, 256 cost $many"
}

# figure NAMESPACE NAME: of ethtool -S
figure()
{
	ip netns exec "$1" ethtool -S t0 | sed -n "s/^ *$2: //p"
}

arrived()
{
	[[ $(figure "$1" queue_1_rx_packets) == "$2" ]]
}

# Of ynl's answer on stdin: what each queue, or the device, has received.
rx_packets()
{
	python3 -c '
import json, sys
print(*[entry["rx-packets"] for entry in json.load(sys.stdin)
        if entry.get("queue-type") != "tx"])'
}

# The netdev family's statistics of each queue, on kernels that have them.
test_qstats()
{
	local ynl=${VNIC_SOURCE:-}/tools/net/ynl/pyynl/cli.py answer index
	local spec=${VNIC_SOURCE:-}/Documentation/netlink/specs/netdev.yaml

	[[ $KIND != tun ]] || skip "in-tree tun has none"
	grep -qw netdev_nl_qstats_get_dumpit /proc/kallsyms ||
		skip "this kernel has none (6.9 does)"
	[[ -e $ynl && -e $spec ]] || skip "there is no ynl in VNIC_SOURCE"
	setup_ns NS
	silence "$NS"
	run ip -n "$NS" link add t0 numtxqueues 2 numrxqueues 2 type "$KIND"
	run ip -n "$NS" link set t0 up
	start writer ip netns exec "$NS" "$(dirname "$0")/queues.py" \
		"$MODE" t0 5 3
	eventually 10 "three packets on the second queue" arrived "$NS" 3
	capture index ip netns exec "$NS" cat /sys/class/net/t0/ifindex
	# The distribution's Python has what its packages bring.
	capture answer ip netns exec "$NS" /usr/bin/python3 "$ynl" \
		--spec "$spec" --no-schema --output-json --dump qstats-get \
		--json "{\"ifindex\": $index, \"scope\": \"queue\"}"
	is "$(rx_packets <<<"$answer")" "5 3" "packets of each queue"
	capture answer ip netns exec "$NS" /usr/bin/python3 "$ynl" \
		--spec "$spec" --no-schema --output-json --dump qstats-get \
		--json "{\"ifindex\": $index}"
	is "$(rx_packets <<<"$answer")" 8 "packets of the device"
}

# end NS HERE THERE OPTION: the program behind t0, joined to the other one
end()
{
	rm -f "$WORK/$2"
	start "socat-$2" ip netns exec "$1" socat \
		"TUN,tun-device=$VNIC_DEV,tun-name=t0,tun-type=$MODE$4" \
		"UNIX-SENDTO:$WORK/$3,bind=$WORK/$2"
	within 10 carrier_is "$1" t0 up ||
		fail "t0 has no carrier; socat: $(cat "$WORK/socat-$2")"
	SOCATS+=("$PID")
}

# Pings across, without the packet information header and with it; then both
# ends have counted the same.
test_socat()
{
	local -A here there
	local tool option

	for tool in socat ping; do
		type -P "$tool" >/dev/null || skip "$tool is not installed"
	done
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	make_device "$LEFT"
	make_device "$RIGHT"
	run ip -n "$LEFT" addr add 10.78.0.1/24 dev t0
	run ip -n "$RIGHT" addr add 10.78.0.2/24 dev t0
	run ip -n "$LEFT" link set t0 up
	run ip -n "$RIGHT" link set t0 up
	for option in ,iff-no-pi ""; do
		SOCATS=()
		end "$LEFT" left right "$option"
		end "$RIGHT" right left "$option"
		run ip netns exec "$LEFT" ping -q -c 20 -i 0.01 -W 5 10.78.0.2
		run ip netns exec "$LEFT" ping -q -c 5 -i 0.01 -W 5 -s 1472 \
			-M "do" 10.78.0.2
		run kill "${SOCATS[@]}"
		wait "${SOCATS[@]}"
		carrier_is "$LEFT" t0 down || fail "a carrier without a program"
	done
	counters here "$LEFT" t0
	counters there "$RIGHT" t0
	is "${here[tx_packets]}" "${there[rx_packets]}" "packets to the right"
	is "${here[rx_packets]}" "${there[tx_packets]}" "packets to the left"
	is "${here[tx_bytes]}" "${there[rx_bytes]}" "bytes to the right"
	is "${here[rx_bytes]}" "${there[tx_bytes]}" "bytes to the left"
	((here[rx_packets] >= 50)) || fail "only ${here[rx_packets]} came back"
	is "${here[rx_dropped]}" 0 "dropped on the left"
}

subtests \
	link "made and deleted by netlink" \
	attach "TUNSETIFF: which device a program gets, who is refused" \
	ioctl "the other ioctls" \
	packet "packets come through byte for byte, bad ones are counted" \
	wait "blocking reads, poll, epoll, SIGIO, and what ends them" \
	ring "a full ring drops, counts, and is resized" \
	sndbuf "writers wait for room in the send buffer" \
	life "files, devices and namespaces end in any order" \
	queue "many files at one device: who is let in, where packets go" \
	vnet "checksums and segments left to the other side" \
	filter "what the program does not want to read is dropped" \
	napi "through NAPI and GRO, in one piece or in fragments" \
	backpressure "a full ring stops the stack, and nothing is lost" \
	xdp "a program in front of the stack" \
	batch "many packets by one call, each with its result" \
	shared "packets through memory that the program has mapped" \
	socket "a queue as a raw packet socket, and forged messages to it" \
	"${FACES[@]}" \
	vhost "vhost-net with such a socket as back end" \
	libvnic "the library's calls, with rings and without" \
	ethtool "what ethtool and sysfs say, and a counter for each loss" \
	netlink "made, changed and shown by netlink" \
	uring "io_uring waits by poll, not by a thread" \
	netns "moved between namespaces in use" \
	errno "the answers of in-tree tun, side by side" \
	qstats "statistics of each queue by the netdev family" \
	memory "few queues cost less than many" \
	socat "two namespaces joined by programs alone"
