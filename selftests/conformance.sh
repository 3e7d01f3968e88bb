#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own tests of tun, from the source of the kernel that runs and
# from the newest there is, on in-tree tun first and then on ours: what passes
# on tun has to pass on ours. tools/check/conformance compiles them.
#
#      a network namespace for each program, and a mount namespace
#
#        tun, tap, skf_net_off, as they are
#                     |
#               /dev/net/tun  <--- mount --bind ---  /dev/vnic
#                     |                                  |
#              in-tree tun: first               vnic: afterwards
#
# VNIC_DEV=/dev/net/tun takes tun for ours: nothing can fail then.

export VNIC_DEV=${VNIC_DEV:-/dev/vnic}

. "$(dirname "$0")/lib.sh"

# All of it together: a program that hangs must not cost the others' results.
DEADLINE=$((SECONDS + 270 * ${VNIC_PATIENCE:-1}))
RESULTS=${VNIC_RESULTS:-$WORK}/conformance

# Results by "SIDE VERSION FIXTURE CASE", the cases of "VERSION FIXTURE", and
# these, each in the order in which they came up.
declare -A result cases
fixtures=()

# on SIDE COMMAND...
on()
{
	local dev=/dev/net/tun

	[[ $1 == tun ]] || dev=$VNIC_DEV
	# shellcheck disable=SC2016	# for the inner shell to expand
	unshare -nm env VNIC_DEV="$dev" sh -c '
		mount --bind "$VNIC_DEV" /dev/net/tun &&
			ip link set lo up && exec "$@"' sh "${@:2}"
}

# FIXTURE, CASE and result, with tabs between, from a log of kselftest_harness.h
cases_of_harness()
{
	awk -v OFS='\t' '
		function end(result) {
			if (name != "")
				print substr(name, 1, index(name, ".") - 1),
					name, result
			name = ""
		}
		/^# +RUN / { end("died"); name = $3 }
		/^not ok / { end(/# XPASS/ ? "xpass" : "FAIL") }
		/^ok / { end(/# SKIP/ ? "skip" : /# XFAIL/ ? "xfail" : "ok") }
		END { end("died") }'
}

# The same from skf_net_off.sh, which ends with the status of its last case
# alone: each is announced, and has passed when "OK" follows.
cases_of_skf_net_off()
{
	local line name='' got=''

	while IFS= read -r line; do
		if grep -qsxF "echo \"$line\"" "$1"; then
			[[ ! $name ]] || printf 'skf_net_off\t%s\t%s\n' \
				"$name" "${got:-FAIL}"
			name=$line got=''
		elif [[ $line == OK ]]; then
			got=ok
		fi
	done
	[[ ! $name ]] ||
		printf 'skf_net_off\t%s\t%s\n' "$name" "${got:-FAIL}"
}

# launch SIDE LOG COMMAND...: in the background; whatever is still missing at the
# deadline, the table shows.
launch()
{
	local left=$((DEADLINE - SECONDS))

	((left > 0)) || left=1
	on "$1" timeout -k 5 "$left" "${@:3}" >"$2" 2>&1 3>&- {IDLE}>&- &
}

# try SIDE VERSION PROGRAM: run it, and take down what it says. Four variants of
# its fixtures at a time, all at once: some wait for seconds for what must not
# come.
try()
{
	local fixture name got start=$SECONDS i variants=() excluded=() chosen
	local log=$RESULTS/$2-$3-on-$1.log parse=(cases_of_harness)

	note "+ on $1: $2/$3"
	cd "$PROGRAMS/$2" || fail "there is no $PROGRAMS/$2"
	if [[ $3 == skf_net_off.sh ]]; then
		parse=(cases_of_skf_net_off "./$3")
		launch "$1" "$log" bash "./$3"
	else
		[[ ! -e $3.variants ]] || mapfile -t variants <"$3.variants"
		for name in "${variants[@]}"; do
			excluded+=(-V "$name")
		done
		launch "$1" "$log" "./$3" "${excluded[@]}"
	fi
	for ((i = 0; i < ${#variants[@]}; i += 4)); do
		chosen=()
		for name in "${variants[@]:i:4}"; do
			chosen+=(-v "$name")
		done
		launch "$1" "$log.$((1000 + i))" "./$3" "${chosen[@]}"
	done
	wait
	if ((${#variants[@]})); then
		cat "$log".* >>"$log"
		rm "$log".*
	fi
	note "$((SECONDS - start)) s"
	while IFS=$'\t' read -r fixture name got; do
		if [[ ! -v cases["$2 $fixture"] ]]; then
			fixtures+=("$2 $fixture")
			cases["$2 $fixture"]=''
		fi
		if [[ ! -v result["tun $2 $fixture $name"] &&
			! -v result["vnic $2 $fixture $name"] ]]; then
			cases["$2 $fixture"]+=$name$'\n'
		fi
		result["$1 $2 $fixture $name"]=$got
	done < <("${parse[@]}" <"$log")
}

# row CASE TUN VNIC
row()
{
	printf '%-57s %-6s %s\n' "$@"
}

# The table of one version.
table()
{
	local fixture name

	row "Linux $1" tun "$OURS"
	for fixture in "${fixtures[@]}"; do
		[[ $fixture == "$1 "* ]] || continue
		while IFS= read -r name; do
			row "  $name" "${result[tun $fixture $name]:-none}" \
				"${result[vnic $fixture $name]:-none}"
		done <<<"${cases[$fixture]%$'\n'}"
	done
	[[ ! -s $PROGRAMS/$1/missing ]] ||
		sed 's/^/  (/; s/$/)/' "$PROGRAMS/$1/missing"
}

# said FIXTURE CASE: what the program said of it on ours
said()
{
	local file

	for file in "$RESULTS/${1%% *}"-*-on-vnic.log; do
		if [[ $1 == *skf_net_off ]]; then
			[[ $file != *skf_net_off* ]] ||
				grep -xFA 5 "$2" "$file"
		else
			awk -v name="$2" '/^(not )?ok / { on = 0 }
				on && !/^# +(OK|FAIL) /
				/^# +RUN / { on = $3 == name }' "$file"
		fi
	done | head -n 8 | sed 's/^/| /'
}

# judge FIXTURE: one KTAP result
judge()
{
	local name tun vnic passed=0 bad=0 count=0 said title
	title="${1/ /-}: what passes on tun passes on $OURS"

	while IFS= read -r name; do
		tun=${result[tun $1 $name]:-none}
		vnic=${result[vnic $1 $name]:-none}
		count=$((count + 1))
		[[ $tun != ok ]] || passed=$((passed + 1))
		# Even a case that fails on tun has to come to its end on ours.
		if [[ $tun == ok && $vnic != ok || $vnic == none ||
			$vnic == died && $tun != died ]]; then
			bad=$((bad + 1))
			note "FAILED: $name: $tun on tun, $vnic on $OURS"
			said=$(said "$1" "$name")
			[[ ! $said ]] || note "$said"
		fi
	done <<<"${cases[$1]%$'\n'}"
	if ((bad)); then
		ktap_test_fail "$title"
	elif ((passed)); then
		note "$passed of $count pass on tun, and these on $OURS"
		ktap_test_pass "$title"
	else
		note "skipped: tun of Linux $RELEASE passes none of $count"
		ktap_test_skip "$title"
	fi
}

# The machine behind the comparison: without a pass there is nothing to compare.
judge_tun()
{
	local key passed=0

	for key in "${!result[@]}"; do
		[[ $key != "tun "* || ${result[$key]} != ok ]] ||
			passed=$((passed + 1))
	done
	note "$passed cases pass on tun"
	if ((passed)); then
		ktap_test_pass "tun: in-tree tun passes something"
	else
		ktap_test_fail "tun: in-tree tun passes something"
	fi
}

# The program to compare with: what passes on it has to pass on ours.
need_kind vntap
need_in_tree tun
[[ -c /dev/net/tun ]] || skip_all "this kernel has no in-tree tun"
need_tools unshare ethtool sysctl
OURS=vnic
[[ $VNIC_DEV != */net/tun ]] || OURS="tun, again"

for PROGRAMS in "$HERE/conformance" "$HERE/../build/conformance" ""; do
	[[ -d $PROGRAMS ]] && break
done

if [[ -e $HERE/conformance.log ]]; then
	note "$(<"$HERE/conformance.log")"
	echo "Bail out! the kernel's tests do not build:" \
		"type tools/check/conformance"
	exit "$KSFT_FAIL"
fi
[[ $PROGRAMS ]] || skip_all "no tests; type: tools/check/conformance"

RELEASE=$(uname -r)
IFS=.- read -r major minor _ <<<"$RELEASE"
versions=("$major.$minor")
newest=$(printf '%s\n' "$PROGRAMS"/*/tun | sort -V | tail -n 1)
newest=$(basename "$(dirname "$newest")")
[[ $newest == "${versions[0]}" ]] || versions+=("$newest")

ktap_print_header
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
for side in tun vnic; do
	for version in "${versions[@]}"; do
		for program in tun tap skf_net_off.sh; do
			[[ ! -e $PROGRAMS/$version/$program ]] ||
				try "$side" "$version" "$program"
		done
	done
done

none=()
for version in "${versions[@]}"; do
	table "$version" >>"$RESULTS/table"
	[[ " ${fixtures[*]}" == *" $version "* ]] || none+=("$version")
done
note "$(sed 's/^/| /' "$RESULTS/table")"

ktap_set_plan $((1 + ${#fixtures[@]} + ${#none[@]}))
judge_tun
for fixture in "${fixtures[@]}"; do
	judge "$fixture"
done
for version in "${none[@]}"; do
	note "skipped: $(cat "$PROGRAMS/$version/missing" 2>/dev/null ||
		echo "none are there; type: tools/check/conformance")"
	ktap_test_skip "$version: the tests of this kernel's source"
done
ktap_finished
