#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs made for /dev/net/tun, as their distribution ships them, on our
# file: those that make devices, and VPNs. (Virtual machines and switches:
# switches.sh.) Each carries the same traffic, traffic() in lib.sh, between
# two namespaces:
#
#      namespace LEFT                              namespace RIGHT
#
#        ping, TCP                                  (answers, echoes)
#         |                                              |
#        t0 10.79.0.1/24                       t0 10.79.0.2/24
#         |                                              |
#        program ======= wire: a socket, a pair ====== program
#
# VNIC_DEV=/dev/net/tun runs all of it on the in-tree driver.

. "$(dirname "$0")/lib.sh"
use_unpacked
need_tools cmp ping setpriv socat unshare
need_device
need_helpers newlink

# Whom no driver knows, and where he may write.
NOBODY=65534
NOGROUP=65533
OPEN=$WORK/open
chmod 711 "$WORK"
mkdir -m 777 "$OPEN"

need()
{
	type -P "$1" >/dev/null || skip "$1 is not installed"
}

# attribute NS FILE: of t0, as sysfs has it
attribute()
{
	ip netns exec "$1" cat "/sys/class/net/t0/$2" 2>&1
}

attributes_are()
{
	local pair

	for pair in "${@:2}"; do
		is "$(attribute "$1" "${pair%%=*}")" "${pair#*=}" \
			"t0: ${pair%%=*}"
	done
}

# address NS ADDRESS: for a t0 whose program did not give it one
address()
{
	run ip -n "$1" addr add "$2/24" dev t0
	run ip -n "$1" link set t0 up
}

# wire NS OPTIONS: socat between t0 and the wire. The first one waits for the
# second.
wire()
{
	local side=listen address="UNIX-LISTEN:$OPEN/wire,type=5"

	if [[ -S $OPEN/wire ]]; then
		side=connect
		address=UNIX-CONNECT:$OPEN/wire,type=5
	fi
	defer rm -f "$OPEN/wire"
	start "$side" ip netns exec "$1" socat -b 65550 \
		"TUN$2,tun-device=$VNIC_DEV,tun-name=t0" "$address"
	WIRE+=("$PID")
	within 10 test -S "$OPEN/wire" ||
		fail "no wire; socat: $(cat "$WORK/listen")"
	within 10 carrier_is "$1" t0 up ||
		fail "no carrier; socat: $(cat "$WORK/$side")"
}

# unwire: end what wire has started.
unwire()
{
	run kill "${WIRE[@]}"
	wait "${WIRE[@]}"
	WIRE=()
	rm -f "$OPEN/wire"
}

# With packet information and usual frames, then without and with jumbo frames.
test_socat()
{
	local kind options

	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	for options in tun tun,iff-no-pi tap tap,iff-no-pi; do
		kind=$TAP
		[[ $options == tap* ]] || kind=$TUN
		options=,tun-type=$options,iff-up
		wire "$LEFT" ":10.79.0.1/24$options"
		wire "$RIGHT" ":10.79.0.2/24$options"
		link_has "$LEFT" t0 info_kind="$kind"
		if [[ $options == *no-pi* ]]; then
			run ip -n "$LEFT" link set t0 mtu 60000
			run ip -n "$RIGHT" link set t0 mtu 60000
		fi
		traffic "$LEFT" "$RIGHT" 10.79.0.2
		unwire
		eventually 5 "t0 goes with its program" gone "$LEFT" t0
		eventually 5 "t0 goes with its program" gone "$RIGHT" t0
	done
}

test_tuntap()
{
	local options kind flags=('' 0x1801 0x1802 0x6902)

	setup_ns LEFT
	for options in "tun" "tap" \
		"tap multi_queue pi vnet_hdr one_queue"; do
		flags=("${flags[@]:1}")
		kind=$TAP
		[[ $options == tap* ]] || kind=$TUN
		# shellcheck disable=SC2086	# several words
		run as_tun ip -n "$LEFT" tuntap add dev t0 mode $options
		link_has "$LEFT" t0 info_kind="$kind"
		attributes_are "$LEFT" tun_flags="${flags[0]}"
		# shellcheck disable=SC2086
		refused "Device or resource busy" as_tun \
			ip -n "$LEFT" tuntap add dev t0 mode $options
		if [[ $options == *multi_queue* ]]; then
			refused "Invalid argument" as_tun \
				ip -n "$LEFT" tuntap del dev t0 mode tap
		fi
		# shellcheck disable=SC2086
		run as_tun ip -n "$LEFT" tuntap del dev t0 mode $options
		gone "$LEFT" t0 || fail "t0 was not deleted"
	done
	run as_tun ip -n "$LEFT" tuntap add mode tun
	run as_tun ip -n "$LEFT" tuntap add mode tap
	exists "$LEFT" tun0 || fail "no name means tun0"
	exists "$LEFT" tap0 || fail "no name means tap0"
}

elsewhere()
{
	! [[ /proc/$1/ns/net -ef /proc/self/ns/net ]]
}

# Both ends in a user namespace each, by a user without any privilege.
test_userns()
{
	local side address
	local -a nobody=(setpriv --clear-groups --reuid "$NOBODY"
			 --regid "$NOGROUP")

	# shellcheck disable=SC2016	# expanded in there
	local script='mount --bind "$VNIC_DEV" /dev/net/tun &&
		ip tuntap add dev t0 mode tap &&
		ip addr add "$0/24" dev t0 &&
		ip link set t0 up &&
		exec socat TUN,tun-name=t0,tun-type=tap,iff-no-pi "$1"'

	"${nobody[@]}" unshare -Urnm true 2>/dev/null ||
		skip "users may not make user namespaces here"
	address=UNIX-LISTEN:$OPEN/wire,type=5
	defer rm -f "$OPEN/wire"
	for side in 1 2; do
		start "$side" "${nobody[@]}" unshare -Urnm \
			sh -c "$script" "10.79.0.$side" "$address"
		eventually 10 "its namespace is there" elsewhere "$PID"
		printf -v "NS$side" 'vnic-%s-%s' "$$" "$side"
		run ip netns attach "vnic-$$-$side" "$PID"
		defer ip netns del "vnic-$$-$side"
		within 10 carrier_is "vnic-$$-$side" t0 up ||
			fail "no carrier: $(cat "$WORK/$side")"
		eventually 10 "socat is there" test -S "$OPEN/wire"
		address=UNIX-CONNECT:$OPEN/wire,type=5
	done
	link_has "$NS1" t0 info_kind="$TAP"
	traffic "$NS1" "$NS2" 10.79.0.2
}

test_tunctl()
{
	local name ns

	need tunctl
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	for ns in "$LEFT" "$RIGHT"; do
		capture name ip netns exec "$ns" tunctl -b -f "$VNIC_DEV" \
			-u "$NOBODY" -g "$NOGROUP" -t t0
		is "$name" t0 "the name"
		attributes_are "$ns" owner="$NOBODY" group="$NOGROUP"
	done
	link_has "$LEFT" t0 info_kind="$TAP"
	address "$LEFT" 10.79.0.1
	address "$RIGHT" 10.79.0.2
	wire "$LEFT" ,tun-type=tap,iff-no-pi
	wire "$RIGHT" ,tun-type=tap,iff-no-pi
	traffic "$LEFT" "$RIGHT" 10.79.0.2
	unwire
	run ip netns exec "$LEFT" tunctl -f "$VNIC_DEV" -d t0
	gone "$LEFT" t0 || fail "t0 was not deleted"
	# and with the name that it has built in
	run as_tun ip netns exec "$LEFT" tunctl -t t0
	link_has "$LEFT" t0 info_kind="$TAP"
}

# What both ends of a tunnel agree on, in VPN
vpn()
{
	local allow

	VPN=(--secret "$OPEN/key" --cipher AES-256-CBC)
	# Announced by 2.6, insisted on by 2.7.
	allow=--allow-deprecated-insecure-static-crypto
	[[ $(openvpn --help) != *"$allow"* ]] || VPN+=("$allow")
}

answers()
{
	ip netns exec "$1" ping -q -c 1 -W 1 "$2" >/dev/null 2>&1
}

test_openvpn()
{
	need openvpn
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	setup_pair "$LEFT" "$RIGHT"
	vpn
	run openvpn --genkey secret "$OPEN/key"
	start left ip netns exec "$LEFT" openvpn --dev-node "$VNIC_DEV" \
		--dev t0 --dev-type tun --remote 10.77.0.2 \
		--ifconfig 10.79.0.1 10.79.0.2 "${VPN[@]}"
	start right ip netns exec "$RIGHT" openvpn --dev-node "$VNIC_DEV" \
		--dev t0 --dev-type tun --remote 10.77.0.1 \
		--ifconfig 10.79.0.2 10.79.0.1 "${VPN[@]}"
	eventually 20 "OpenVPN's other end answers" answers "$LEFT" 10.79.0.2
	link_has "$LEFT" t0 info_kind="$TUN"
	traffic "$LEFT" "$RIGHT" 10.79.0.2 20000
}

# Made and removed by OpenVPN, and in between used by one without privileges.
test_mktun()
{
	local ns peer=2 user group
	local -a pids=()

	need openvpn
	user=$(id -un "$NOBODY") || skip "there is no user $NOBODY"
	group=$(id -gn "$NOBODY")
	setup_ns LEFT RIGHT
	silence "$LEFT" "$RIGHT"
	setup_pair "$LEFT" "$RIGHT"
	vpn
	run openvpn --genkey secret "$OPEN/key"
	run chmod 644 "$OPEN/key"
	for ns in "$LEFT" "$RIGHT"; do
		run ip netns exec "$ns" openvpn --dev-node "$VNIC_DEV" --mktun \
			--dev t0 --dev-type tap --user "$user" --group "$group"
		attributes_are "$ns" owner="$NOBODY" \
			group="$(id -g "$NOBODY")"
		link_has "$ns" t0 info_kind="$TAP"
		address "$ns" "10.79.0.$((3 - peer))"
		start "vpn$peer" ip netns exec "$ns" setpriv --clear-groups \
			--reuid "$NOBODY" --regid "$(id -g "$NOBODY")" \
			openvpn --dev-node "$VNIC_DEV" --dev t0 --dev-type tap \
			--remote "10.77.0.$peer" "${VPN[@]}"
		pids+=("$PID")
		peer=1
	done
	traffic "$LEFT" "$RIGHT" 10.79.0.2 20000
	run kill "${pids[@]}"
	wait "${pids[@]}"
	run ip netns exec "$LEFT" openvpn --dev-node "$VNIC_DEV" --rmtun \
		--dev t0 --dev-type tap
	gone "$LEFT" t0 || fail "t0 was not removed"
}

subtests \
	socat "socat: tun and tap, with and without packet information" \
	tuntap "ip tuntap: with and without options; a second one is refused" \
	userns "ip tuntap: by a user without privileges in a user namespace" \
	tunctl "tunctl: made for a user, used, deleted" \
	openvpn "OpenVPN, static key: makes its device" \
	mktun "OpenVPN: --mktun, used without privileges, --rmtun"
