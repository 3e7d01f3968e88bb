# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of the exercises share, on top of that of the selftests.
# VNIC_SELFTESTS is where those are, if not beside us.

EXERCISES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/lib.sh
. "${VNIC_SELFTESTS:-$EXERCISES/../selftests}/lib.sh"
# shellcheck source=selftests/lib_links.sh
. "$HERE/lib_links.sh"

# What a learner types to see it once more: all of it.
EXERCISE=$(basename "$(cd "$(dirname "$0")" && pwd)")
# shellcheck disable=SC2034	# lib.sh says it
ALONE="make lab N=$((10#${EXERCISE%%-*}))"

# send NS DEV COUNT SIZE HEX: frames that begin with HEX; zeros follow
send()
{
	run ip netns exec "$1" python3 "$EXERCISES/send.py" "${@:2}"
}

# options NS DEV TEXT: what IFLA_INFO_DATA has
options()
{
	local out

	capture out "$NEWLINK" -n "$1" info "$2"
	is "$out" "$3" "options of $2"
}
