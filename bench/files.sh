#!/bin/bash
# Measures what belljar does with layers, against the same done by others: all rows of a part run one after the other, round by round, and the
# middle of each counts.
#
#	bench/files.sh [ROUNDS]       BELLJAR names the program
#
#   a root that is ready, of 1, 10 and 100 layers       against mount -t overlay of the same, and a shell in it;
#                                                           and against the same mount, and crun
#   an archive of 7,000 files and 200 MB, unpacked      against tar -x
#   what was changed, of 100,000 files in the layer     against find
#
# Needs root; wants a machine that does nothing else. The machine is left as it was found.
set -eu
rounds=${1:-9}
belljar=${BELLJAR:-$(dirname "$0")/../belljar}
[ "$(id -u)" = 0 ] || { echo "bench/files.sh: needs root" >&2; exit 1; }
[ -x "$belljar" ] || { echo "bench/files.sh: set BELLJAR" >&2; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export BELLJAR_CACHE=$dir/cache

# once COMMAND...: microseconds that it takes
once()
{
	local from=$EPOCHREALTIME to
	"$@" >"$dir/out" 2>&1 </dev/null || { cat "$dir/out" >&2; exit 1; }
	to=$EPOCHREALTIME
	echo $((${to/./} - ${from/./}))
}

middle() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

# pair TITLE OURS THEIRS: the names of two functions
pair()
{
	: >"$dir/ours"
	: >"$dir/theirs"
	for ((i = 0; i < rounds; i++)); do
		once "$2" >>"$dir/ours"
		once "$3" >>"$dir/theirs"
	done
	local a b
	a=$(middle <"$dir/ours")
	b=$(middle <"$dir/theirs")
	printf '%-44s %9.2f ms %9.2f ms %7s\n' "$1" "${a}e-3" "${b}e-3" "$((a * 100 / b))%"
}

printf '%-44s %12s %12s %7s\n' '' belljar other ratio

# Roots
mkdir -p "$dir/base/bin"
cp "$(command -v busybox)" "$dir/base/bin/"
ln -s busybox "$dir/base/bin/true"
for ((i = 1; i < 100; i++)); do mkdir "$dir/l$i"; echo $i >"$dir/l$i/f$i"; done
layers()
{
	local i
	for ((i = 1; i < $1; i++)); do printf '%s%s' "$dir/l$i" "$2"; done
	printf '%s' "$dir/base"
}
our_root() { "$belljar" -c "new a; unshare mnt; root $(layers $n ' '); run true"; }
their_root()
{
	(cd "$dir" && unshare -m sh -c 'mkdir -p w m && mount -t tmpfs w w && mkdir w/u w/w &&
		mount -t overlay -o "lowerdir=$1,upperdir=w/u,workdir=w/w" overlay m && exec chroot m /bin/true' sh "$(layers $n : | sed "s|$dir/||g")")
}
# crun has no layers of its own; its caller mounts them. It wants a cgroup version 2 without controllers elsewhere.
crun_root()
{
	(cd "$dir" && unshare -m sh -c 'mount -t cgroup2 cgroup /sys/fs/cgroup && mkdir -p w m && mount -t tmpfs w w && mkdir w/u w/w &&
		mount -t overlay -o "lowerdir=$1,upperdir=w/u,workdir=w/w" overlay m &&
		exec crun --cgroup-manager=disabled run -b . "belljar-bench-$$"' sh "$(layers $n : | sed "s|$dir/||g")")
}
if command -v crun >/dev/null; then
	(cd "$dir" && crun spec && sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"\/bin\/true"/; s/"rootfs"/"m"/; s/"readonly": true/"readonly": false/' config.json)
fi
for n in 1 10 100; do
	pair "a root of $n layers" our_root their_root
	! command -v crun >/dev/null || pair "  against crun" our_root crun_root
done

# Unpacking
mkdir "$dir/in"
for ((i = 0; i < 7000; i++)); do head -c 30000 /dev/urandom >"$dir/in/$i"; done
tar -C "$dir/in" -cf "$dir/in.tar" .
rm -r "$dir/in"
our_unpack() { rm -rf "$dir/cache"; "$belljar" -c "new a; unshare mnt; root $dir/in.tar busybox"; }
their_unpack() { rm -rf "$dir/x"; mkdir "$dir/x"; tar -C "$dir/x" -xf "$dir/in.tar"; }
pair "unpacking 7,000 files, 210 MB" our_unpack their_unpack

# Changes
mkdir -p "$dir/up/upper"
for ((i = 0; i < 100; i++)); do
	mkdir "$dir/up/upper/$i"
	(cd "$dir/up/upper/$i" && seq 1000 | xargs touch)
done
our_changes() { "$belljar" -c "new a; unshare mnt; root busybox upper $dir/up; changes"; }
their_changes() { find "$dir/up/upper" -ls; }
pair "changes, of 100,000 files" our_changes their_changes
