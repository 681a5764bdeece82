# setup.sh - what ./start and ./check share: installing or naming what is missing, and building; sourced by both
#
# On Debian and its kin missing packages are installed with apt-get. Elsewhere the missing programs and development files are named, and
# the work goes on when none is that the build needs.

# Debian's packages.
builds='gcc libc6-dev make autoconf automake pkg-config libreadline-dev libnl-3-dev libnl-route-3-dev libarchive-dev nettle-dev
	libseccomp-dev libjansson-dev libsystemd-dev busybox-static musl-tools'
tests='libcmocka-dev mandoc iproute2 iputils-ping procps util-linux uidmap python3 strace zstd xz-utils qemu-system-x86 qemu-system-common
	busybox-static cpio kmod diffutils valgrind libc6-dbg systemd dbus apparmor slirp4netns'

# The same for other systems: what the build can't do without, what makes it better, what tests are skipped without.
needed='cc make autoconf automake pkg-config'
needed_files='readline libnl-3.0 libnl-route-3.0 libarchive nettle libseccomp jansson libsystemd'
better='busybox musl-gcc'
tested='mandoc ip ping nsenter newuidmap pgrep python3 strace zstd xz qemu-system-x86_64 cpio modprobe depmod valgrind systemctl dbus-daemon apparmor_parser'
tested_files='cmocka'

say() { echo "$0: $*" >&2; }

# become COMMAND...: run it as root where that is possible
become()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		return 1
	fi
}

# install PACKAGE...: those that are missing; with apt-get
install_packages()
{
	packages=
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || packages="$packages $package"
	done
	[ -n "$packages" ] || return 0
	say "installing$packages"
	become true || { say "that needs root, or sudo: apt-get install$packages"; exit 1; }
	become apt-get update -qq || say "the lists of packages could not be brought up to date; trying with those that are there"
	# shellcheck disable=SC2086
	become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages </dev/null >/dev/null
}

# absent PROGRAM... -- LIBRARY...: name those that are not there
absent()
{
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		PATH=$PATH:/sbin:/usr/sbin command -v "$1" >/dev/null || echo "$1"
		shift
	done
	[ $# -eq 0 ] || shift
	for library in "$@"; do
		pkg-config --exists "$library" 2>/dev/null || echo "$library (development files)"
	done
}

# named WHAT PROGRAM... -- LIBRARY...: say which are missing; false if there are any
named()
{
	what=$1
	shift
	list=$(absent "$@" | tr '\n' ',' | sed 's/,$//; s/,/, /g')
	[ -z "$list" ] || say "$what: $list"
	[ -z "$list" ]
}

# provide [tests]: all that the build needs, and the tests
provide()
{
	# shellcheck disable=SC2086
	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
		[ "${1-}" = tests ] || tests=
		# Debian 12 and Ubuntu 22.04 have it within QEMU's packages.
		[ -z "$tests" ] || ! apt-cache show virtiofsd >/dev/null 2>&1 || tests="$tests virtiofsd"
		install_packages $builds $tests
	else
		named "better with" $better || :
		[ "${1-}" != tests ] || named "tests are skipped without" $tested -- $tested_files || :
		named "missing, install them first" $needed -- $needed_files || exit 1
	fi
}

# build TARGET: make configure and the Makefile where they are missing or old, and make
build()
{
	[ configure -nt configure.ac ] && [ Makefile.in -nt Makefile.am ] || autoreconf -i
	mkdir -p build
	# Anew also where it was done before there was cmocka.
	if [ ! -f build/Makefile ] || { grep -qx "HAVE_CMOCKA_TRUE='#'" build/config.log && pkg-config --exists cmocka; }; then
		(cd build && ../configure -q)
	fi
	make -s -C build -j "$(nproc)" "$1"
}
