# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What tools/qemu/source, kernel, debug and chroot share: an apt of our own in
# build/apt, so that nothing of the system's is changed and nobody need be root.
#
# apt-get and apt-cache use it once apt_system, apt_suite or apt_alias has been
# called; each of them knows one place only. $top is the tree's folder.

# shellcheck disable=SC2154 # the one who sources this sets top
apt_dir=$top/build/apt

apt_quiet=(-qq)
# As root, apt downloads as a user that may not write into the tree.
((EUID)) || apt_quiet+=(-o APT::Sandbox::User=root)

apt_there()
{
	type apt-get apt-cache dpkg-deb xz >/dev/null 2>&1
}

# apt_use DIRECTORY LINE...: a configuration, with lists and downloads of its
# own. One process at a time: apt does not wait for another.
apt_use()
{
	local dir=$1

	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	exec 8>"$dir/.lock"
	flock 8
	printf '%s\n' "Dir::State::Lists \"$dir/lists\";" \
		"Dir::Cache \"$dir\";" \
		"Dir::Cache::Archives \"$dir/archives\";" \
		'Acquire::Languages "none";' "${@:2}" >"$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
}

# The system's own sources of packages, with lists of our own: an image or a
# container often comes without any.
apt_system()
{
	apt_use "$apt_dir/own"
	apt-get "${apt_quiet[@]}" update >&2
}

mirror_known()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format \
		'$(ORIGIN) $(LABEL) $(CREATED_BY) $(REPO_URI)' |
		sed -n 's/^Debian Debian Packages //p' | head -n 1
}

# The mirror of Debian that this machine uses already. Who has no lists does not
# know whose mirrors it names.
apt_mirror()
{
	local mirror

	mirror=$(unset APT_CONFIG; mirror_known)
	[[ $mirror ]] || mirror=$(apt_system && mirror_known)
	echo "$mirror"
}

# apt_source SUITE: the line for a sources.list
apt_source()
{
	local mirror

	mirror=$(apt_mirror)
	[[ $mirror ]] || return
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"$mirror $1 main"
}

# apt_suite SUITE [OPTION...]: one suite of Debian alone.
apt_suite()
{
	local dir=$apt_dir/$1 source

	source=$(apt_source "$1") || return
	apt_use "$dir" "Dir::Etc::SourceList \"$dir/sources.list\";" \
		'Dir::Etc::SourceParts "/dev/null";' \
		'Dir::Etc::PreferencesParts "/dev/null";'
	echo "$source" >"$dir/sources.list"
	apt-get "${apt_quiet[@]}" "${@:2}" update >&2
}

# apt_alias ALIAS: the suite that stable-backports or the like stands for now,
# into $codename. Its name only: on some mirrors the alias lags behind the
# suite, even until it is out of date.
apt_alias()
{
	apt_suite "$1" -o Acquire::Check-Valid-Until=false || return
	# shellcheck disable=SC2016 # apt expands it
	codename=$(apt-get indextargets --format '$(CODENAME)' | head -n 1)
	[[ $codename ]]
}

# apt_unpack FOLDER PACKAGE...: their files, without installing anything.
apt_unpack()
{
	local to=$1 deb

	shift
	mkdir -p "$to/debs"
	(cd "$to/debs" && apt-get "${apt_quiet[@]}" download "$@" >&2) || return
	for deb in "$to"/debs/*.deb; do
		dpkg-deb -x "$deb" "$to" || return
	done
	rm -rf "$to/debs"
}

# apt_source_of FOLDER PACKAGE TAR-OPTION...: what a linux-source package has in
# its archive, without its first folder. Status 2: some of it is not there.
apt_source_of()
{
	local to=$1 package=$2 deb

	mkdir -p "$to/debs"
	echo "vnic: fetching ${package%%=*}" >&2
	(cd "$to/debs" && apt-get "${apt_quiet[@]}" download "$package" >&2) ||
		return 1
	deb=$(echo "$to"/debs/*.deb)
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		xz -dcT0 |
		tar -xC "$to" --strip-components=1 "${@:3}" \
			2>"$to/debs/log" || return 2
	rm -rf "$to/debs"
}
