#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The plugins of iproute2 for our kinds: options, help, and what is shown, with
# the ip of this machine and with the newest one there is.
#
#      ip link add v0 type vntap pi on ...         namespaces A, B (for peers)
#          |
#      IP_LIB_DIR/link_vntap.so  --- attributes -->  the kernel
#
# There is no traffic here.

. "$(dirname "$0")/lib.sh"
need_kind "$VNDUMMY" "$VNVETH"
find_built IP_LIB_DIR iproute2 "make tools"
export IP_LIB_DIR

# tools/iproute2/newest fetches it, where there is a network.
NEWEST=
for dir in "$HERE/../build" "$HERE/../.."; do
	for NEWEST in "$dir"/iproute2-*/ip; do
		[[ -x $NEWEST ]] && break 2
	done
done

# This is what lib.sh calls, too.
IP=$(type -P ip)
ip()
{
	"$IP" "$@"
}

use_newest()
{
	[[ -x $NEWEST ]] ||
		skip "no newer ip than $("$IP" -V): type tools/iproute2/newest"
	IP=$NEWEST
}

# A user and a group without a name; root has one everywhere.
NAMELESS=65530

# nothing_made NS BEFORE: what was refused left nothing behind.
nothing_made()
{
	local now

	interfaces now "$1"
	is "$now" "$2" "interfaces after the refusal"
}

# info VAR NS DEV: what the plugin shows, as JSON and without the braces.
info()
{
	local info_json

	capture info_json ip -n "$2" -d -j link show dev "$3"
	[[ $info_json =~ \"info_data\":\{([^\}]*)\} ]] ||
		fail "no info_data: $info_json"
	printf -v "$1" '%s' "${BASH_REMATCH[1]}"
}

# info_has NS DEV KEY=VALUE...: the same, one by one
info_has()
{
	local all pair got

	info all "$1" "$2"
	for pair in "${@:3}"; do
		field got "${pair%%=*}" "$all,"
		is "$got" "${pair#*=}" "$2: ${pair%%=*}"
	done
}

# shows NS DEV TEXT: the same for a person.
shows()
{
	local out

	capture out ip -n "$1" -d link show dev "$2"
	[[ "$out " == *" $3 "* ]] || fail "does not show '$3': $out"
}

test_help()
{
	local kind out word
	local -A words=(
		[vndummy]="loopback"
		[vnveth]="mode l2|l3 scrub backpressure bql peer NAME netns"
		[vntun]="pi vnet_hdr multi_queue persist user owner group
			backpressure"
	)

	note "$(ip -V)"
	words[vntap]=${words[vntun]}
	for kind in "${!words[@]}"; do
		capture out ip link help "$kind"
		note "$out"
		for word in "type $kind" ${words[$kind]}; do
			[[ $out == *"$word"* ]] ||
				fail "the help of $kind does not say '$word'"
		done
		refused "type $kind" ip link add x0 type "$kind" help
	done
}

test_wrong()
{
	local message options

	setup_ns A
	while read -r message options; do
		# shellcheck disable=SC2086	# some words each
		refused "${message//_/ }" ip -n "$A" link add x0 type $options
	done <<-END
		has_no_option_"colour"	vntun colour red
		has_no_option_"colour"	vntap user 1 colour red
		not_complete		vntun owner
		not_complete		vntap pi on vnet_hdr
		"maybe"_is_wrong	vntun pi maybe
		no_such_user		vntun owner no-such-one
		no_such_user		vntun user 4294967295
		no_such_user		vntun user 99999999999999999999999
		no_such_group		vntap group no-such-one
		duplicate_"pi"		vntun pi on pi on
		duplicate_"owner"	vntap user 1 owner 1
		vndummy_has_no_option	vndummy pi on
		"maybe"_is_wrong	vndummy loopback maybe
		not_complete		vndummy loopback
		duplicate_"loopback"	vndummy loopback on loopback off
		vnveth_has_no_option	vnveth pair x1
		has_no_option_"colour"	vnveth scrub on colour red peer x1
		"l4"_is_wrong		vnveth mode l4
		"on"_is_wrong		vnveth mode on
		"l2"_is_wrong		vnveth scrub l2
		"maybe"_is_wrong	vnveth backpressure maybe
		"yes"_is_wrong		vnveth bql yes peer x1
		not_complete		vnveth scrub on bql
		duplicate_"mode"	vnveth mode l2 mode l3
		duplicate_"scrub"	vnveth scrub on bql on scrub on
		not_complete		vnveth peer x1 mtu
		mtu			vnveth peer x1 mtu short
		duplicate_"type"	vnveth peer x1 type veth
	END
	refused '"" is wrong' ip -n "$A" link add x0 type vntun backpressure ""
	refused 'no option ""' ip -n "$A" link add x0 type vntap ""
	nothing_made "$A" ""
}

# both KIND PEER-OPTIONS...: a pair, as the two namespaces list it, without what
# is random, and without the number of queues unless it was given: veth's is
# that of the CPUs.
both()
{
	local ns json key got
	local keys=(ifname mtu qdisc operstate group txqlen gso_max_size)

	[[ "$*" != *queues* ]] || keys+=(num_tx_queues num_rx_queues)

	run ip -n "$A" link add v0 numtxqueues 1 numrxqueues 1 mtu 1400 \
		type "$1" peer "${@:2}"
	for ns in "$A" "$B"; do
		json=$(ip -n "$ns" -d -j link show type "$1") || fail "no list"
		while read -r json; do
			for key in "${keys[@]}"; do
				field got "$key" "$json"
				PAIR+="$key=$got "
			done
			[[ $json != *02:00:00:00:00:2a* ]] || PAIR+="address "
			PAIR+=$'\n'
		done <<< "${json//\},\{/$'\n'}"
		PAIR+=--$'\n'
	done
	run ip -n "$A" link del v0
}

test_peer()
{
	local theirs ours options

	setup_ns A B
	for options in "" "name v1 netns $B mtu 1300 gso_max_size 3000" \
		       "v1 txqueuelen 77 address 02:00:00:00:00:2a group 5" \
		       "v1 numtxqueues 3 numrxqueues 2"; do
		read -ra options <<< "$options"
		PAIR=
		both "$VNVETH" "${options[@]}"
		ours=${PAIR//${VNVETH}/veth}
		note "$ours"
		need_in_tree veth
		PAIR=
		both veth "${options[@]}"
		theirs=$PAIR
		is "$ours" "$theirs" "the pair, and veth's"
	done
	run ip -n "$A" link add v0 link-netns "$B" type "$VNVETH" \
		peer v1 index 4711
	link_has "$B" v1 ifindex=4711
	refused "" ip -n "$A" link add v2 type "$VNVETH" peer v0
	refused "The peer is chosen when the pair is made" \
		ip -n "$A" link set v0 type "$VNVETH" peer v0
	nothing_made "$A" v0
}

# The kinds must do without, too.
test_without()
{
	local kind IP_LIB_DIR=/nowhere

	setup_ns A
	for kind in vndummy vnveth vntun vntap; do
		run ip -n "$A" link add x0 type $kind
		run ip -n "$A" -d link show dev x0
		refused Garbage ip -n "$A" link add x1 type $kind peer x2
		run ip -n "$A" link del x0
	done
}

test_plain()
{
	local kind end

	setup_ns A
	for kind in vntun vntap; do
		run ip -n "$A" link add x0 type $kind
		link_has "$A" x0 info_kind=$kind
		info_has "$A" x0 type=${kind#vn} multi_queue=false \
			persist=true user=none group=none backpressure=false
		shows "$A" x0 "$kind type ${kind#vn}"
		run ip -n "$A" link del x0
	done
	run ip -n "$A" link add x0 type vndummy
	link_has "$A" x0 info_kind=vndummy
	info_has "$A" x0 loopback=false
	shows "$A" x0 "vndummy loopback off"
	run ip -n "$A" link add x1 type vnveth peer x2
	link_has "$A" x2 info_kind=vnveth
	for end in x1 x2; do
		info_has "$A" $end mode=l2 scrub=true backpressure=false \
			bql=false
		shows "$A" $end "vnveth mode l2 scrub on backpressure off bql off"
	done
}

test_options()
{
	local kind

	setup_ns A
	for kind in vntun vntap; do
		run ip -n "$A" link add x0 type $kind pi on vnet_hdr on \
			persist on user $NAMELESS group $((NAMELESS + 1)) \
			backpressure on
		info_has "$A" x0 type=${kind#vn} pi=true vnet_hdr=true \
			persist=true user=$NAMELESS group=$((NAMELESS + 1)) \
			backpressure=true
		shows "$A" x0 "$kind type ${kind#vn} pi on vnet_hdr on persist on \
user $NAMELESS group $((NAMELESS + 1)) backpressure on"
		run ip -n "$A" link del x0
		run ip -n "$A" link add x0 type $kind pi off vnet_hdr off \
			backpressure off owner root group root multi_queue off
		info_has "$A" x0 pi=false vnet_hdr=false user=root group=root \
			backpressure=false multi_queue=false
		run ip -n "$A" link del x0
	done
	# the largest number that somebody can have
	run ip -n "$A" link add x0 type vntun owner 4294967294
	info_has "$A" x0 user=4294967294
}

# Each word moves one attribute and no other; both ends get it.
test_veth()
{
	local given changed end key want

	setup_ns A B
	while read -r given changed; do
		# shellcheck disable=SC2086	# two words
		run ip -n "$A" link add v0 type vnveth ${given//_/ } \
			peer name v1 netns "$B" mtu 1300
		link_has "$B" v1 mtu=1300
		want=(mode=l2 scrub=true backpressure=false bql=false)
		for key in "${!want[@]}"; do
			[[ ${want[key]%=*} != "${changed%=*}" ]] ||
				want[key]=$changed
		done
		info_has "$A" v0 "${want[@]}"
		info_has "$B" v1 "${want[@]}"
		run ip -n "$A" link del v0
	done <<-END
		mode_l2			mode=l2
		mode_l3			mode=l3
		scrub_on		scrub=true
		scrub_off		scrub=false
		backpressure_on		backpressure=true
		backpressure_off	backpressure=false
		bql_on			bql=true
		bql_off			bql=false
	END
	# all at once, in another order, and without "peer"
	run ip -n "$A" link add v0 link-netns "$B" parentdev v1 type vnveth \
		bql on backpressure on scrub off mode l3
	for end in "$A v0" "$B v1"; do
		# shellcheck disable=SC2086	# two words
		set -- $end
		link_has "$@" link_type=none
		info_has "$@" mode=l3 scrub=false backpressure=true bql=true
		shows "$@" "vnveth mode l3 scrub off backpressure on bql on"
	done
	# a word behind "peer" is the peer's, which has none of ours
	refused "" ip -n "$A" link add v2 type vnveth peer name v3 scrub off
	nothing_made "$A" v0
}

# One end changes, the other stays as it is.
test_veth_change()
{
	setup_ns A B
	run ip -n "$A" link add v0 type vnveth peer name v1 netns "$B"
	run ip -n "$A" link set v0 type vnveth scrub off
	info_has "$A" v0 mode=l2 scrub=false backpressure=false bql=false
	run ip -n "$A" link set v0 type vnveth backpressure on
	info_has "$A" v0 scrub=false backpressure=true bql=false
	run ip -n "$A" link set v0 type vnveth bql on scrub on
	info_has "$A" v0 scrub=true backpressure=true bql=true
	info_has "$B" v1 mode=l2 scrub=true backpressure=false bql=false
	run ip -n "$B" link set v1 type vnveth scrub off bql on
	info_has "$B" v1 scrub=false backpressure=false bql=true
	info_has "$A" v0 scrub=true backpressure=true bql=true
	run ip -n "$A" link set v0 type vnveth backpressure off bql off
	info_has "$A" v0 mode=l2 scrub=true backpressure=false bql=false
	shows "$A" v0 "vnveth mode l2 scrub on backpressure off bql off"
	refused "Error: " ip -n "$A" link set v0 type vnveth mode l3
	refused "Error: " ip -n "$A" link set v0 type vnveth bql on mode l3
	refused '"maybe" is wrong' \
		ip -n "$A" link set v0 type vnveth scrub maybe
	info_has "$A" v0 mode=l2 scrub=true backpressure=false bql=false
}

test_dummy()
{
	setup_ns A
	run ip -n "$A" link add x0 type vndummy loopback on
	info_has "$A" x0 loopback=true
	shows "$A" x0 "vndummy loopback on"
	run ip -n "$A" link set x0 type vndummy loopback off
	info_has "$A" x0 loopback=false
	run ip -n "$A" link set x0 type vndummy loopback on
	info_has "$A" x0 loopback=true
	run ip -n "$A" link add x1 type vndummy loopback off
	info_has "$A" x1 loopback=false
	refused "not complete" ip -n "$A" link set x1 type vndummy loopback
}

test_queues()
{
	setup_ns A
	run ip -n "$A" link add x0 numtxqueues 4 type vntun multi_queue on
	link_has "$A" x0 num_tx_queues=4
	info_has "$A" x0 multi_queue=true numqueues=0 numdisabled=0
	shows "$A" x0 "multi_queue numqueues 0 numdisabled 0"
	run ip -n "$A" link add x1 numtxqueues 4 type vntap
	info_has "$A" x1 multi_queue=true
	refused "Error: " ip -n "$A" link add x2 type vntun multi_queue on
	refused "Error: " ip -n "$A" link add x2 numtxqueues 4 type vntap \
		multi_queue off
	nothing_made "$A" "x0 x1"
}

test_change()
{
	setup_ns A
	run ip -n "$A" link add x0 type vntap
	run ip -n "$A" link set x0 type vntap owner root pi on
	info_has "$A" x0 user=root group=none pi=true
	run ip -n "$A" link set x0 type vntap user $NAMELESS group root \
		vnet_hdr on backpressure on
	info_has "$A" x0 user=$NAMELESS group=root pi=true vnet_hdr=true \
		backpressure=true
	run ip -n "$A" link set x0 type vntap user none group none pi off \
		vnet_hdr off backpressure off
	info_has "$A" x0 user=none group=none pi=false vnet_hdr=false \
		backpressure=false
	refused "Error: " ip -n "$A" link set x0 type vntap multi_queue on
	refused 'no option "colour"' \
		ip -n "$A" link set x0 type vntap colour red
	run ip -n "$A" link add x1 type vntun
	run ip -n "$A" link set x1 type vntun persist on backpressure on
	info_has "$A" x1 backpressure=true
}

# What tun's own plugin shows of a device of tun's.
test_as_tun()
{
	need_in_tree tun
	[[ -c /dev/net/tun ]] || skip "this kernel has no tun"
	setup_ns A
	compare tun ""
	compare tap multi_queue
}

# compare MODE WORD: with that word tun makes many queues.
compare()
{
	local theirs ours line text

	run ip -n "$A" tuntap add x0 mode "$1" user root group $NAMELESS pi \
		vnet_hdr ${2:+"$2"}
	info theirs "$A" x0
	capture line ip -n "$A" -d -o link show dev x0
	text=${line#* tun type }
	run ip -n "$A" tuntap del x0 mode "$1" ${2:+"$2"}
	run ip -n "$A" link add x0 ${2:+numtxqueues 256} type "vn$1" user root \
		group $NAMELESS pi on vnet_hdr on
	info ours "$A" x0
	is "${ours%,\"backpressure\":*}" "$theirs" "JSON"
	capture line ip -n "$A" -d -o link show dev x0
	line=${line#* vn"$1" type }
	is "${line%% backpressure*}" "${text%% addrgenmode*}" "text"
	run ip -n "$A" link del x0
}

# Into a folder, where a copy of ip looks, and out of it again.
test_install()
{
	local top dir where left

	for top in "$HERE/.." "$HERE/../../.."; do
		[[ -x $top/tools/install ]] && break
	done
	[[ -x $top/tools/install ]] || skip "this is no source tree"
	dir=$WORK/root
	run env DESTDIR="$dir" "$top/tools/install" tools
	where=$(grep -aoE '/usr/[a-z0-9/_-]*lib[a-z0-9/_-]*/ip' "$IP" |
		head -n 1)
	[[ -e $dir$where/link_vntap.so ]] ||
		fail "$IP looks in $where: $(find "$dir" -name '*.so')"
	IP_LIB_DIR=$dir$where run ip link help vntap
	run env DESTDIR="$dir" "$top/tools/install" --remove tools
	left=$(find "$dir" ! -type d)
	is "$left" "" "files left"
}

# All of these once more, in short, where ip is another one.
test_newest()
{
	use_newest
	setup_ns A B
	note "$(ip -V)"
	run ip link help vntap
	run ip -n "$A" link add x0 type vntap pi on vnet_hdr on persist on \
		user root group $NAMELESS backpressure on
	info_has "$A" x0 type=tap pi=true vnet_hdr=true persist=true \
		user=root group=$NAMELESS multi_queue=false backpressure=true
	shows "$A" x0 "vntap type tap pi on vnet_hdr on persist on \
user root group $NAMELESS backpressure on"
	run ip -n "$A" link set x0 type vntap owner none backpressure off
	info_has "$A" x0 user=none backpressure=false
	refused 'no option "colour"' \
		ip -n "$A" link add x1 type vntun colour red
	refused '"maybe" is wrong' ip -n "$A" link add x1 type vntun pi maybe
	refused "not complete" ip -n "$A" link add x1 type vntun owner
	refused "Error: " ip -n "$A" link add x1 type vntun multi_queue on
	refused 'vndummy has no option' ip -n "$A" link add x1 type vndummy pi on
	run ip -n "$A" link add v0 type vnveth peer name v1 netns "$B" \
		mtu 1300 txqueuelen 77 address 02:00:00:00:00:2a
	link_has "$B" v1 mtu=1300 txqlen=77 address=02:00:00:00:00:2a
	run ip -n "$A" link add v2 type vnveth mode l3 scrub off \
		backpressure on bql on peer name v3 netns "$B" mtu 1300
	link_has "$B" v3 mtu=1300 link_type=none
	info_has "$B" v3 mode=l3 scrub=false backpressure=true bql=true
	shows "$B" v3 "vnveth mode l3 scrub off backpressure on bql on"
	run ip -n "$B" link set v3 type vnveth bql off
	info_has "$B" v3 mode=l3 scrub=false backpressure=true bql=false
	refused "duplicate" ip -n "$A" link add v4 type vnveth bql on bql on
	run ip -n "$A" link add x1 type vndummy loopback on
	info_has "$A" x1 loopback=true
	shows "$A" x1 "vndummy loopback on"
	nothing_made "$A" "v0 v2 x0 x1"
}

test_newest_as_tun()
{
	use_newest
	test_as_tun
}

subtests \
	help "ip link help KIND" \
	wrong "wrong options: a message, and nothing made" \
	peer "the peer's options, side by side with veth" \
	without "the kinds without their plugins" \
	plain "what is shown of a device without options" \
	options "each option of vntun and vntap, set and shown" \
	veth "each option of vnveth, set and shown at both ends" \
	veth_change "changed at one end" \
	dummy "loopback of vndummy" \
	queues "many queues" \
	change "changed by ip link set" \
	as_tun "the words and JSON keys of tun" \
	newest "all of that with the newest ip" \
	newest_as_tun "the words and JSON keys of tun there" \
	install "put where ip looks, and removed"
