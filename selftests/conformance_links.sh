#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own tests that use veth or dummy, from the source of the kernel
# that runs and from the newest there is, on the in-tree kinds first and then on
# ours: what passes on theirs has to pass on ours. tools/check/conformance_links
# prepares them. Here are those that are mostly about settings;
# conformance_gro.sh has those that are about packets.
#
#      namespaces for each test: network, mounts, processes
#
#        veth.sh, rtnetlink.sh, link_netns.py ... as they are
#                          |
#             ip link add ... type veth|dummy
#                          |
#        an "ip" first in PATH, which puts another word there
#             |                                  |
#        veth, dummy: first               vnveth, vndummy: afterwards
#
# VNIC_KIND_VNVETH=veth VNIC_KIND_VNDUMMY=dummy takes theirs for ours: both
# columns have to be the same. Arguments choose tests: "veth.sh gro.sh".

. "$(dirname "$0")/lib.sh"

# make check gives a file so many seconds; by hand there is no hurry. What takes
# too long must not cost the others' results: in the last third nothing more is
# begun but the second tries, and at the end what still runs is ended.
limit=$(sed -n 's/^timeout=//p' "$HERE/settings" 2>/dev/null)
LAST_START=$((SECONDS + ${limit:-6000} * 2 / 3))
DEADLINE=$((SECONDS + ${limit:-6000} - 30))
RESULTS=${VNIC_RESULTS:-$WORK}/${SELF%.sh}
# How many tests at a time. What is about packets is easily disturbed.
at_once=$(nproc)

# A fixture is a test with its arguments, from one source: "VERSION TEST". What
# each needs, and results by "SIDE FIXTURE<tab>CASE", in the order in which they
# came up.
fixtures=()
declare -A command longest parse took result cases

# ------------------------------------------------------------ what is run

# add SECONDS PARSE NAME VERSION... -- COMMAND: one fixture for each of the
# sources, with the seconds after which it hangs (it needs a fourth of them) and
# how its output is read.
add()
{
	local version fixture

	((${#ONLY[@]} == 0)) || [[ " ${ONLY[*]} " == *" ${3%% *} "* ]] ||
		return 0
	for version in "${@:4}"; do
		[[ $version != -- ]] || return 0
		fixture="$version $3"
		[[ ! -v command[$fixture] ]] || continue
		fixtures+=("$fixture")
		longest[$fixture]=$1
		parse[$fixture]=$2
		command[$fixture]=${*: -1}
	done
}

# newest_with TEST: of the sources that are there
newest_with()
{
	(cd "$PROGRAMS" && printf '%s\n' */tools/testing/selftests/net/"$1") |
		sort -V | tail -n 1 | cut -d / -f 1
}

# Of rtnetlink.sh, what has a dummy in it, but for three: promote_secondaries
# runs a thousand programs, mngtmpaddr looks at its addresses for half a minute
# without a pause, ipsec gives a program 0.2 s to begin. What others' failures
# can spoil comes first.
rtnetlink="addrlft route_get addrlft_route_cleanup gre bridge ifalias vrf encap
	macsec macsec_vlan team_bridge_macvlan bridge_promisc_netlink
	bridge_promisc_sysfs fdb_del neigh_get neigh_update address_proto
	enslave_bonding"

settings()
{
	local family offload

	add 200 padded veth.sh "$NEWEST" "$OWN" -- ./veth.sh
	# shellcheck disable=SC2086	# several words
	add 240 results rtnetlink.sh "$NEWEST" -- \
		"./rtnetlink.sh -t '$(printf 'kci_test_%s ' $rtnetlink)'"
	# Not its part about the other drivers.
	add 120 ktap link_netns.py "$NEWEST" -- \
		"./link_netns.py -T test_link_net"
	add 120 results "netdevice.sh veth" "$NEWEST" -- ./netdevice.sh
	# It takes a device that is called like this.
	add 120 results "netdevice.sh dummy" "$NEWEST" -- \
		"ip link add eth0 type dummy && ./netdevice.sh"
	add 120 results altnames.sh "$NEWEST" -- "REQUIRE_MZ=no ./altnames.sh"
	# The other parts of udpgso.sh have no dummy in them.
	for offload in hw_gso_hw sw_gso_hw sw_gso_sw; do
		for family in 4 6; do
			add 60 whole "udpgso.sh $offload ipv$family" "$NEWEST" -- \
				"./in_netns.sh ./udpgso.sh test_${offload}_csum \
-- ./udpgso -$family -C -R"
		done
	done
}

packets()
{
	local protocol part common="-l 1 -6 -D 2001:db8::1"

	at_once=1
	add 160 padded udpgro.sh "$NEWEST" -- ./udpgro.sh
	add 320 padded udpgro_fwd.sh "$NEWEST" -- ./udpgro_fwd.sh
	# All of its three, each for one second and not for four.
	add 120 whole "udpgro_frglist.sh tcp" "$NEWEST" -- \
		"./udpgro_frglist.sh $common -t rx -4 -t"
	add 120 whole "udpgro_frglist.sh gso" "$NEWEST" -- \
		"./udpgro_frglist.sh $common -u -S 0 rx -4 -v"
	add 120 whole "udpgro_frglist.sh gso, gro" "$NEWEST" -- \
		"./udpgro_frglist.sh $common -S 0 rx -4 -G"
	for protocol in ipv4 ipv6; do
		for part in data ack flags tcp ip large; do
			add 120 whole "gro.sh $protocol $part" "$OWN" "$GRO" -- \
				"./gro.sh -p $protocol -t $part"
		done
	done
}

# ------------------------------------------------------------ running

# The ip of the tests. Where no name is given, veth takes one that they know and
# ours would take another.
make_ip()
{
	cat >"$WORK/bin/ip" <<-'END'
		#!/bin/sh
		case " $* " in
		*" type veth "*|*" type dummy "*) ;;
		*) exec "$VNIC_IP" "$@" ;;
		esac
		left=$# last=
		while [ $left -gt 0 ]; do
			word=$1 left=$((left - 1))
			shift
			case "$last $word" in
			"add type") set -- "$@" name "$1%d" type ;;
			"type veth")
				set -- "$@" "$VNIC_VETH"
				[ $left -gt 0 ] || set -- "$@" peer name veth%d ;;
			"type dummy") set -- "$@" "$VNIC_DUMMY" ;;
			*) set -- "$@" "$word" ;;
			esac
			last=$word
		done
		exec "$VNIC_IP" "$@"
	END
	chmod +x "$WORK/bin/ip"
	VNIC_IP=$(type -P ip)
	export VNIC_IP
}

# The first Python that has what the kernel's netlink library wants.
choose_python()
{
	local name python

	for name in python3 /usr/bin/python3; do
		python=$("$name" -c 'import sys, yaml; print(sys.executable)' \
			2>/dev/null) || continue
		ln -s "$python" "$WORK/bin/python3"
		return
	done
}

# on SIDE FIXTURE: nothing of the others is in sight, and all of its processes
# end with it. No second /sys may lie below: ip believes that it can use that.
on()
{
	local veth=veth dummy=dummy hide=''

	[[ $1 == tree ]] || veth=$VNVETH dummy=$VNDUMMY
	[[ $2 != *veth.sh || $has_netdev ]] || hide=../../../net/ynl/pyynl
	cd "$PROGRAMS/${2%% *}/tools/testing/selftests/net" || return
	# shellcheck disable=SC2016	# for the inner shell to expand
	exec timeout -s KILL "${longest[$2]}" \
		unshare -nmpf --kill-child --mount-proc \
		env VNIC_VETH="$veth" VNIC_DUMMY="$dummy" HIDE="$hide" \
		PATH="$WORK/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 sh -c '
			umount -l /sys &&
			mount -t sysfs sysfs /sys &&
			mkdir -p /run/netns &&
			mount -t tmpfs tmpfs /run/netns &&
			{ [ ! -e "$HIDE" ] || mount -t tmpfs tmpfs "$HIDE"; } &&
			ip link set lo up || exit
			eval "$1"' sh "${command[$2]}"
}

# log_of SIDE FIXTURE: into LOG
log_of()
{
	local name="$2-on-$1"

	LOG=$RESULTS/${name//[ ,]/-}
}

# launch SIDE FIXTURE: run it, and leave what it says; in the end its status and
# how long it has taken. In tree there is no status if it was only late; ours
# has to keep up with that.
launch()
{
	local LOG start=$SECONDS left=$((DEADLINE - SECONDS)) status late=''
	local name

	((left >= 10)) || return
	if ((left < longest[$2])); then
		longest[$2]=$left
		[[ $1 != tree ]] || late=1
	fi
	log_of "$@"
	for name in "$LOG"{,.err,.status}; do
		[[ ! -e $name ]] || mv "$name" "$name.first"
	done
	(on "$@") >"$LOG" 2>"$LOG.err" 3>&- {IDLE}>&-
	status=$?
	[[ $late && $status == 137 ]] ||
		echo "$status $((SECONDS - start))" >"$LOG.status"
}

# run_all LAST SIDE... -- FIXTURE...: on the sides one after the other; none is
# begun after LAST
run_all()
{
	local fixture side sides=() start=$SECONDS last=$1

	shift
	while [[ $1 != -- ]]; do
		sides+=("$1")
		shift
	done
	shift
	for fixture; do
		while (($(jobs -pr | wc -l) >= at_once)); do
			wait -n
		done
		((SECONDS < last)) || break
		note "+ $fixture: ${command[$fixture]}"
		for side in "${sides[@]}"; do
			launch "$side" "$fixture" || break
		done &
	done
	wait
	note "$((SECONDS - start)) s"
}

# ------------------------------------------------------------ output

# These make lines "CASE<tab>RESULT" of what a test has written.

# Names, blanks, and ok or fail at the end of the line. A name that something
# else follows than that has nothing to say. "- flag" belongs to what the last
# name has in front of its own "-"; "ipv4" alone is a heading.
cases_of_padded()
{
	awk -v OFS='\t' '
		function name(text) {
			if (text ~ /^- /) {
				text = group " " text
			} else {
				group = text
				sub(/ - .*/, "", group)
			}
			return head text
		}
		/^(ipv4|ipv6|IPv4|IPv6)$/ { head = $0 ": " }
		/[^ ]  / {
			sub(/^ +/, "")
			count = split($0, part, /  +/)
			for (i = 1; i < count - 1; i++)
				print name(part[i]), "ok"
			if (part[count] ~ /^ok *$/)
				print name(part[i]), "ok"
			else if (part[count] ~ /^fail/)
				print name(part[i]), "FAIL"
			else if (part[count] ~ /^skip/)
				print name(part[i]), "skip"
		}'
}

# PASS: NAME, and the like. What is made up anew each time is left out; what is
# done to a feature is one case.
cases_of_results()
{
	sed -nE -e 's/ not supported$//' \
		-e 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/' \
		-e 's/(Failed to turn|Turned) (on|off) feature:/feature/' \
		-e 's/(Failed to r|R)estore (feature .*) to initial .*/\2/' \
		-e 's/^PASS: (.*)/\1\tok/p' -e 's/^FAIL: (.*)/\1\tFAIL/p' \
		-e 's/^XFAIL: (.*)/\1\txfail/p' -e 's/^SKIP:? (.*)/\1\tskip/p' \
		-e 's/^TEST: (.*[^ ]) +\[ OK \]$/\1\tok/p' \
		-e 's/^TEST: (.*[^ ]) +\[X?FAIL\]$/\1\tFAIL/p' \
		-e 's/^TEST: (.*[^ ]) +\[SKIP\]$/\1\tskip/p' |
		awk -F '\t' -v OFS='\t' '
			!($1 in got) { name[++count] = $1 }
			got[$1] != "FAIL" { got[$1] = $2 }
			END {
				for (i = 1; i <= count; i++)
					print name[i], got[name[i]]
			}'
}

cases_of_ktap()
{
	sed -nE -e 's/^ok [0-9]+ (- )?([^ ]+).*# SKIP.*/\2\tskip/p;t' \
		-e 's/^ok [0-9]+ (- )?([^ ]+).*# XFAIL.*/\2\txfail/p;t' \
		-e 's/^ok [0-9]+ (- )?([^ ]+).*/\2\tok/p' \
		-e 's/^not ok [0-9]+ (- )?([^ ]+).*/\2\tFAIL/p'
}

# The status is all.
cases_of_whole()
{
	case $1 in
	0) printf '%s\tok\n' "$2" ;;
	4) printf '%s\tskip\n' "$2" ;;
	*) printf '%s\tFAIL\n' "$2" ;;
	esac
}

# A name that comes again gets a number.
numbered()
{
	awk -F '\t' -v OFS='\t' '{
		if (++count[$1] > 1)
			$1 = $1 " (" count[$1] ")"
		print
	}'
}

# read_log SIDE FIXTURE [MARK]: its cases; the last is that it comes to an end.
# With MARK, only what has become right, with that behind it.
read_log()
{
	local LOG GOT status seconds name got ended=ok

	log_of "$1" "$2"
	read -r status seconds 2>/dev/null <"$LOG.status" || return 0
	((status != 137)) || ended=died
	[[ ${3:-} ]] || took[$1 $2]=$seconds
	while IFS=$'\t' read -r name got; do
		[[ $'\n'${cases[$2]:-} == *$'\n'"$name"$'\n'* ]] ||
			cases[$2]+=$name$'\n'
		of "$1" "$2" "$name"
		[[ ! ${3:-} ]] || { [[ $GOT != ok && $got == ok ]]; } || continue
		result["$1 $2"$'\t'"$name"]=$got${3:-}
	done < <("cases_of_${parse[$2]}" "$status" "${2#* }" <"$LOG" | numbered
		[[ ${parse[$2]} == whole ]] || printf 'the end\t%s\n' $ended)
}

# of SIDE FIXTURE CASE: its result, into GOT
of()
{
	GOT=${result["$1 $2"$'\t'"$3"]:-none}
}

# The one case that differs on purpose: in tree nothing can be redirected to an
# end whose peer has neither GRO nor a program. To ours it can, and it says so.
meant="with gro enabled on link down - peer ndo-xmit cleared"

# worse FIXTURE: into WORSE, the cases that are right on theirs and not on ours,
# fail on ours and are not there on theirs, or have an end on theirs alone.
worse()
{
	local name tree GOT

	WORSE=()
	[[ ${cases[$1]:-} ]] || return 0
	while IFS= read -r name; do
		of tree "$1" "$name"
		tree=$GOT
		of ours "$1" "$name"
		case $tree:$GOT in
		ok:ok | ok:'ok*') ;;
		ok:FAIL) [[ $name == "$meant" ]] || WORSE+=("$name") ;;
		ok:* | none:FAIL | none:died) WORSE+=("$name") ;;
		esac
	done <<<"${cases[$1]%$'\n'}"
}

# Once more and alone, what may have failed for want of time.
try_again()
{
	local fixture WORSE again=()

	for fixture in "${fixtures[@]}"; do
		worse "$fixture"
		((${#WORSE[@]} == 0)) || again+=("$fixture")
	done
	((${#again[@]})) || return 0
	note "once more, what was worse on ours:"
	at_once=1
	run_all "$DEADLINE" ours -- "${again[@]}"
	for fixture in "${again[@]}"; do
		read_log ours "$fixture" '*'
	done
}

# ------------------------------------------------------------ judgement

row()
{
	printf '%-65s %-8s %s\n' "$@"
}

# The table of one version.
table()
{
	local fixture name tree GOT

	row "Linux $1" "in tree" "$OURS"
	for fixture in "${fixtures[@]}"; do
		[[ $fixture == "$1 "* ]] || continue
		[[ ${parse[$fixture]} == whole ]] ||
			row "  ${fixture#* }" "${took[tree $fixture]:--} s" \
				"${took[ours $fixture]:--} s"
		[[ ${cases[$fixture]:-} ]] || continue
		while IFS= read -r name; do
			of tree "$fixture" "$name"
			tree=$GOT
			of ours "$fixture" "$name"
			[[ ${parse[$fixture]} == whole ]] || name="  $name"
			row "  $name" "$tree" "$GOT"
		done <<<"${cases[$fixture]%$'\n'}"
	done
	[[ ! -s $PROGRAMS/$1/missing ]] ||
		sed 's/^/  (/; s/$/)/' "$PROGRAMS/$1/missing"
}

# said FIXTURE: what there is about it from ours
said()
{
	local LOG

	log_of ours "$1"
	{
		grep -E '[Ff]ail|FAIL|^# ' "$LOG" | head -n 20
		tail -n 5 "$LOG.err"
	} 2>/dev/null | cut -c 1-110 | sed 's/^/| /'
}

# judge FIXTURE: one KTAP result
judge()
{
	local name tree GOT WORSE passed=0 count=0
	local title="$1: what passes in tree passes on $OURS"

	if [[ ! ${took[ours $1]:-} || ! ${took[tree $1]:-} ]]; then
		if [[ -s $PROGRAMS/${1%% *}/missing &&
			! ${took[tree $1]:-} ]]; then
			note "skipped: $(<"$PROGRAMS/${1%% *}/missing")"
		else
			note "skipped: no time was left for it"
		fi
		ktap_test_skip "$title"
		return
	fi
	while IFS= read -r name; do
		[[ $name && $name != "the end" ]] || continue
		of tree "$1" "$name"
		count=$((count + 1))
		[[ $GOT != ok ]] || passed=$((passed + 1))
	done <<<"${cases[$1]:-}"
	worse "$1"
	of ours "$1" "$meant"
	[[ $GOT != FAIL ]] ||
		note "meant to differ, see testing.rst: $meant"
	for name in "${WORSE[@]}"; do
		of tree "$1" "$name"
		tree=$GOT
		of ours "$1" "$name"
		note "FAILED: $name: $tree in tree, $GOT on $OURS"
	done
	if ((${#WORSE[@]})); then
		note "$(said "$1")"
		ktap_test_fail "$title"
	elif ((!passed)); then
		note "skipped: the in-tree kind passes none of $count"
		ktap_test_skip "$title"
	else
		note "$passed of $count pass in tree, and these on $OURS"
		ktap_test_pass "$title"
	fi
}

# The machine behind the comparison: without a pass there is nothing to compare.
judge_tree()
{
	local key passed=0

	for key in "${!result[@]}"; do
		[[ $key != "tree "* || $key == *$'\tthe end' ||
			${result[$key]} != ok ]] || passed=$((passed + 1))
	done
	note "$passed cases pass in tree"
	if ((passed)); then
		ktap_test_pass "in tree: veth and dummy pass something"
	else
		ktap_test_fail "in tree: veth and dummy pass something"
	fi
}

need_kind "$VNVETH" "$VNDUMMY"
for kind in veth dummy; do
	need_in_tree "$kind" || skip_all "this kernel has no in-tree $kind"
done
need_tools unshare ethtool tc nstat jq ping iperf3 sysctl iptables ip6tables
find_built IP_LIB_DIR iproute2 "make tools"
export IP_LIB_DIR
use_unpacked
OURS=ours
[[ $VNVETH != veth ]] || OURS="in tree, again"

if [[ -e $HERE/conformance_links.log ]]; then
	note "$(<"$HERE/conformance_links.log")"
	echo "Bail out! the kernel's tests do not build:" \
		"type tools/check/conformance_links"
	exit "$KSFT_FAIL"
fi
for PROGRAMS in "$HERE/../../conformance_links" \
	"$HERE/../build/conformance_links" ""; do
	[[ -d $PROGRAMS ]] && break
done
[[ $PROGRAMS ]] || skip_all "no tests; type: tools/check/conformance_links"
PROGRAMS=$(cd "$PROGRAMS" && pwd)

IFS=.- read -r major minor _ < <(uname -r)
OWN=$major.$minor
NEWEST=$(newest_with veth.sh)
GRO=$(newest_with gro.sh)
has_netdev=''
genl ctrl get name netdev >/dev/null 2>&1 && has_netdev=1

mkdir -p "$WORK/bin"
make_ip
choose_python
case $SELF in
conformance_gro.sh) packets ;;
*) settings ;;
esac
((${#fixtures[@]})) || fail "there is no such test: ${ONLY[*]}"

ktap_print_header
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
[[ $has_netdev || " ${fixtures[*]} " != *" veth.sh "* ]] || note "veth.sh leaves out its cases of ndo-xmit:" \
	"this kernel does not tell a device's XDP features"
run_all "$LAST_START" tree ours -- "${fixtures[@]}"
for fixture in "${fixtures[@]}"; do
	read_log tree "$fixture"
	read_log ours "$fixture"
done
try_again

for version in $(printf '%s\n' "${fixtures[@]%% *}" | sort -uV); do
	table "$version" >>"$RESULTS/table"
done
note "$(sed 's/^/| /' "$RESULTS/table")"

ktap_set_plan $((1 + ${#fixtures[@]}))
judge_tree
for fixture in "${fixtures[@]}"; do
	judge "$fixture"
done
ktap_finished
