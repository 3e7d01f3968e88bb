#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The commands of the pages (Documentation/*.rst) show what the pages say: each
# page is a subtest, and tools/labs/stations runs what is in it, in the network
# of make shell, which is tools/demo's:
#
#	red  [ red0 ] <--- pair ---> [ blue0 ]  blue
#	left [ left0 ] <- socat, socat -> [ right0 ] right

. "$(dirname "$0")/lib.sh"
need_kind vntap "$VNVETH" "$VNDUMMY"
need_tools ethtool nft ping socat tc python3
need_programs vnic-hub

for TOP in "$HERE/.." "$HERE/../../.." ""; do
	[[ ! -x $TOP/tools/labs/stations ]] || break
done
[[ $TOP ]] || skip_all "there is no tools/labs/stations"
export VNIC_KO=${VNIC_KO:-loaded}
# The labs of networks.rst test of two things that are alike one: networks.sh is
# for the whole.
export VNIC_SHORT=1

network_goes()
{
	local name

	pkill -f 'socat TUN:.*tun-name=(left|right)0'
	for name in red blue left right; do
		ip netns del "$name"
	done
}

# page NAME: all of its commands
page()
{
	local out

	defer network_goes
	capture out "$TOP/tools/demo" run "$TOP/tools/labs/stations" "$1"
	note "$out"
	[[ $out == *$'\nyes  '* ]] || fail "nothing was run"
}

# A page that says what is not so fails: here, with tc in the way.
test_wrong()
{
	defer network_goes
	run "$TOP/tools/demo" run true
	run tc -n red qdisc add dev red0 root pfifo limit 0
	refused "NO   in-socket " "$TOP/tools/labs/stations" in-socket
	refused "no page and no block is called in-nowhere" \
		"$TOP/tools/labs/stations" in-nowhere
}

PAGES=()
for name in $("$TOP/tools/labs/stations" --list |
	sed -n 's/^run .* \([^ ]*\)\.rst:.*/\1/p' | sort -u); do
	eval "test_${name//-/_}() { page $name; }"
	PAGES+=("${name//-/_}" "the commands of $name.rst")
done
((${#PAGES[@]})) || skip_all "no page has a command"

subtests "${PAGES[@]}" wrong "a page that is wrong fails"
