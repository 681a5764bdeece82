# setup.sh - what ./start and ./check share: installing what is missing, and building; sourced by both
#
# On Debian and its kin missing packages are installed with apt-get; elsewhere what is missing is named, and the work goes on when
# nothing is.

builds='gcc make autoconf automake pkg-config libreadline-dev libnl-3-dev libnl-route-3-dev libarchive-dev busybox-static musl-tools'
tests='libcmocka-dev mandoc iproute2 iputils-ping util-linux procps python3 zstd xz-utils qemu-system-x86 qemu-system-common cpio kmod'

say() { echo "$0: $*" >&2; }

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "this needs root, and there is no sudo: $*"
		return 1
	fi
}

# missing PACKAGE...: those that are not installed
missing()
{
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
	done
}

# install PACKAGE...
install_packages()
{
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		say "this is no Debian or Ubuntu: install these yourself if they are missing (Debian's names): $*"
		return 0
	fi
	packages=$(missing "$@")
	[ -n "$packages" ] || return 0
	say "installing" $packages
	as_root apt-get update -qq
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

# build TARGET: configure where that was not done yet, and make
build()
{
	for program in gcc make autoconf automake pkg-config; do
		command -v $program >/dev/null || { say "$program is missing"; exit 1; }
	done
	[ -x configure ] && [ configure -nt configure.ac ] && [ Makefile.in -nt Makefile.am ] || autoreconf -i
	mkdir -p build
	[ -f build/Makefile ] || (cd build && ../configure -q)
	make -s -C build -j "$(nproc)" "$1"
}
