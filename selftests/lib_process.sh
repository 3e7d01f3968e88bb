# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# lib_process - is a process still at it? For lib.sh, and for what starts tests.

# One that has ended and that the shell has not noticed yet, which it may never
# do by itself, can still be sent a signal.
running()
{
	local stat

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	[[ ${stat##*) } != [ZX]* ]]
}
