# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154	# work, KDIR and KERNEL_RELEASE, see below
#
# Variants of the module: a copy of its sources for each, with a patch, built one
# after another. Sourced behind lib.sh, by what has
#
#	set $work, a folder, and asked tools/qemu/kernel for KDIR
#	a function no_verdict, which says why there will be no answer, and exits

# put_tree DIR: the parts that make the module, as they are here
put_tree()
{
	rm -rf "${1:?}"/{drivers,include,tools}
	mkdir -p "$1/tools"
	cp -r drivers include Kbuild "$1"
	cp tools/build "$1/tools"
}

# The objects are made in one place for all, so that only what differs from the
# one before is compiled again.
take_over()
{
	local file

	mkdir -p "$work/tree"
	[[ -d $work/tree/drivers ]] || put_tree "$work/tree"
	(cd "$1" && find drivers include Kbuild tools -type f) |
	while read -r file; do
		cmp -s "$1/$file" "$work/tree/$file" ||
			cp "$1/$file" "$work/tree/$file"
	done
}

# build NAME: $work/NAME/vnic.ko from the sources there
build()
{
	local dir=$work/$1 key

	key=$(cd "$dir" && find drivers include Kbuild tools -type f \
		-exec cksum {} + | sort | cksum)
	key+=" $KERNEL_RELEASE $KDIR"
	[[ ! -e $dir/vnic.ko || $(cat "$dir/key" 2>/dev/null) != "$key" ]] ||
		return 0
	rm -f "$dir/vnic.ko"
	take_over "$dir"
	env -u MAKEFLAGS -u MAKELEVEL KDIR="$KDIR" \
		OUT="$PWD/$work/objects-$KERNEL_RELEASE" \
		"$work/tree/tools/build" >"$dir/log" 2>&1 ||
		no_verdict "$1 does not build: see $dir/log"
	cp "$work/objects-$KERNEL_RELEASE/vnic.ko" "$dir/vnic.ko"
	echo "$key" >"$dir/key"
}

# apply DIR PATCH
apply()
{
	local said

	said=$(patch -s -p1 -F0 -d "$1" <"$2" 2>&1) ||
		no_verdict "$2 does not apply any more: $said"
}
