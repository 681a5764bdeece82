#!/bin/bash
# No path that the sandbox can change leads belljar out: links, swaps in the middle, replaced stubs, prepared directories. Beside the root is a
# canary: a directory that must stay as it is.
. "$(dirname "$0")/front.inc"
command -v python3 >/dev/null || { echo "skip - no python3"; exit 77; }
run -c 'new x; unshare docker; run true'
[ "$status" = 0 ] || { echo "skip - no sandbox here: $err"; exit 77; }
R=$tmp/root canary=$tmp/canary
fresh()
{
	rm -rf "$R" "$canary"
	mkdir -p "$R"/{proc,dev,sys,bin,a} "$canary"
	cp "$PROBE" "$R/bin/probe"
	echo secret >"$canary/file"
}
canary_is() { is "$1: what lies outside is as it was" "$(ls -A "$canary"):$(cat "$canary/file" 2>&1)" "file:secret"; }
trap '[ -z "${racer-}" ] || kill "$racer" 2>/dev/null; rm -rf "$tmp"' EXIT
fresh
run -c "new x; unshare docker; root $R rw; run /bin/probe facts"
[ "$status" = 0 ] || { echo "skip - a directory can't be a root here: $err"; exit 77; }
# The way out from any depth, and the direct one.
up=../../../../../../../../../..$canary

# A target is swapped for a link between look and use (CVE-2021-30465), also where it is being made (CVE-2024-45310). swap A B: for ever.
cat >"$tmp/swap" <<'P'
import ctypes, sys
call = ctypes.CDLL(None, use_errno=True).syscall
a, b = (s.encode() for s in sys.argv[1:3])
while True:
    call(316, -100, a, -100, b, 2)      # renameat2(RENAME_EXCHANGE)
P
before=$(sort /proc/self/mountinfo)
fresh
ln -s "$up" "$R/b"
python3 "$tmp/swap" "$R/a" "$R/b" &
racer=$!
for ((i = 0; i < 10000; i++)); do [ ! -L "$R/a" ] || break; sleep 0.001; done
{
	echo 'new x'; echo 'unshare docker'; echo "root $R rw"
	for ((i = 0; i < 150; i++)); do
		printf '%s\n' "tmpfs /a size 64K" "umount /a" "bind $PROBE /a/made$i" "umount /a/made$i" "tmpfs /a/new$i/deep size 64K" "umount /a/new$i/deep"
	done
	echo "run /bin/probe facts"
} >"$tmp/script"
timeout 100 "$BELLJAR" -k -f "$tmp/script" >"$tmp/out" 2>"$tmp/err"
kill "$racer"
wait "$racer" 2>/dev/null
racer=
wrong=$(grep -c ": /a" "$tmp/err")
[ "$wrong" -gt 0 ] && [ "$wrong" -lt 900 ] && ok "mounts in a race: some meet the link, some don't" || fail "mounts in a race: $wrong errors"
hasnt "none crashes" "$(cat "$tmp/err")" "*signal*"
has "the sandbox still works" "$(cat "$tmp/out")" "*mounts=*"
canary_is "mounts in a race"
is "the host's mount table too" "$(sort /proc/self/mountinfo)" "$before"

# Links where belljar mounts and makes its own: /dev (CVE-2026-41579, CVE-2026-47766), its null (CVE-2025-31133), terminals and the console
# (CVE-2025-52565), /proc (CVE-2019-16884, CVE-2023-27561, CVE-2025-52881), and targets of the operator's (CVE-2015-1335).
for name in dev proc sys; do
	fresh
	rmdir "$R/$name"
	ln -s "$up" "$R/$name"
	run -c "new x; unshare docker; root $R rw; run /bin/probe facts"
	has "/$name is a link: refused by name" "$status:$err" "1:*/$name*symbolic link*"
	canary_is "/$name is a link"
done
# Something else in the place of /proc: refused, or proc lies on it.
for kind in file fifo full; do
	fresh
	case $kind in
	file) rmdir "$R/proc"; : >"$R/proc" ;;
	fifo) rmdir "$R/proc"; mkfifo "$R/proc" ;;
	full) mkdir -p "$R/proc/self"; ln -s "$up" "$R/proc/self/fd" ;;
	esac
	run -c "new x; unshare docker; root $R rw; run /bin/probe facts"
	case $kind in
	full) has "/proc holds files: proc lies on them" "$status:$out" "0:*" ;;
	*) has "/proc is a $kind: refused by name" "$status:$err" "1:*/proc*" ;;
	esac
	canary_is "/proc is a $kind"
done
fresh
mkdir -p "$R/dev/pts"
for name in null zero ptmx console pts/0 fd; do ln -s "$up/file" "$R/dev/$name"; done
run -c "new x; unshare docker; root $R rw; run /bin/probe facts"
is "links in /dev are nobody's devices" "$status:$err" "0:"
canary_is "links in /dev"
[ ! -x /bin/busybox ] || cp /bin/busybox "$R/bin/sh"
if "$R/bin/sh" -c true 2>/dev/null; then
	run -c "new x; unshare docker; root $R rw; run /bin/sh -c 'echo gone >/dev/null; [ -c /dev/null ] && [ -c /dev/zero ] && [ -c /dev/ptmx ] && echo devices'"
	is "they are devices inside" "$out" devices
	canary_is "written to"
	# What hides a file is no /dev/null of the root's.
	run -c "new x; unshare docker; root $R rw; mask docker; run /bin/sh -c 'for f in keys timer_list; do [ ! -e /proc/\$f ] || { while read -r l; do echo \$l; done </proc/\$f; echo x >/proc/\$f; }; done; echo tried'"
	is "masks hide, whatever the root has as /dev/null" "$status:$out" "0:tried"
	canary_is "masks"
fi
fresh
ln -s "$canary" "$R/out"
ln -s "$up/file" "$R/outfile"
run -c "new x; unshare docker; root $R rw; tmpfs /out"
canary_is "a target is a link"
run -c "new x; unshare docker; root $R rw; bind $PROBE /outfile"
canary_is "a file's target is a link"
run -c "new x; unshare docker; root $R rw; tmpfs /out/../../made"
canary_is "with .. in it"

# A source of a bind is resolved once: replacing it afterwards changes nothing.
fresh
mkdir "$tmp/source"
echo first >"$tmp/source/f"
run -c "new x; unshare docker; root $R rw; bind $tmp/source /a; !mv $tmp/source $tmp/old && ln -s $canary $tmp/source; run /bin/probe facts"
is "a bind's source is replaced" "$(printf '%s\n' "$out" | grep -c 'canary')" 0

# What was made to mount on is removed again, and only that: its place may be another now (CVE-2024-23652).
fresh
mkdir "$canary/dir"
cat >"$tmp/script" <<S
new x
unshare docker
root $R rw
bind $PROBE /x/file
!mv $R/x $R/y && ln -s $up $R/x
undo
S
rmdir "$canary/dir"
: >"$canary/empty"
"$BELLJAR" -k -f "$tmp/script" >/dev/null 2>&1
is "a stub's parent is replaced by a link" "$(ls -A "$canary" | tr '\n' ' ')" "empty file "
fresh
cat >"$tmp/script" <<S
new x
unshare docker
root $R rw
tmpfs /x/dir size 64K
!mv $R/x $R/y && ln -s $up $R/x && mkdir $canary/dir
undo
S
"$BELLJAR" -k -f "$tmp/script" >/dev/null 2>&1
is "a directory of the same name is not what was made" "$(ls -A "$canary" | tr '\n' ' ')" "dir file "

# NSS, locales and the like come from the new root for who looks names up after entering it (CVE-2019-14271, CVE-2025-32463).
fresh
mkdir -p "$R/etc" "$R/lib/x86_64-linux-gnu" "$R/usr/lib/locale" "$R/usr/lib/x86_64-linux-gnu/gconv"
echo 'passwd: evil' >"$R/etc/nsswitch.conf"
for f in etc/passwd etc/group etc/ld.so.preload etc/ld.so.cache lib/libnss_evil.so.2 lib/x86_64-linux-gnu/libnss_evil.so.2 \
	usr/lib/locale/locale-archive usr/lib/x86_64-linux-gnu/gconv/gconv-modules; do echo evil >"$R/$f"; done
cat >"$tmp/opened" <<'P'
# Which files below a directory are opened while a command runs.
import ctypes, os, struct, subprocess, sys
libc = ctypes.CDLL(None)
fd = libc.inotify_init1(os.O_NONBLOCK)
names = {}
for top, _, _ in os.walk(sys.argv[1]):
    if '/bin' not in top:
        names[libc.inotify_add_watch(fd, top.encode(), 0x20)] = top
open(sys.argv[1] + '/etc/group').close()
subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
data, at = os.read(fd, 1 << 20), 0
while at < len(data):
    wd, mask, _, n = struct.unpack_from('iIII', data, at)
    name = data[at + 16:at + 16 + n].rstrip(b'\0').decode()
    if not mask & 0x40000000:
        print(os.path.relpath(names[wd] + '/' + name, sys.argv[1]))
    at += 16 + n
P
out=$(python3 "$tmp/opened" "$R" "$BELLJAR" -c "new x; unshare docker; root $R rw; hostname jar; run /bin/probe facts; run nosuch; show; mounts; ps; @x tmpfs /a; run -d /bin/probe facts; wait" | sort -u)
is "no file of the root is opened but by its programs (the control: one)" "$out" etc/group

# Privileges of the operator are no privileges of belljar's: what the user may not reach can't be shown inside.
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$tmp"
	mkdir -p "$tmp/closed/inner"
	chmod 700 "$tmp/closed"
	user="setpriv --reuid 61299 --regid 61299 --clear-groups"
	out=$(cd / && $user "$BELLJAR" -c "new x; unshare docker; bind $tmp/closed/inner /mnt" 2>&1)
	has "a directory that the user may not reach" "$?:$out" "1:*"
	# The run directory of others: refused, nothing followed (CVE-2019-12439, CVE-2015-1331).
	dir=/tmp/belljar-61299
	trap 'rm -rf "$tmp" /tmp/belljar-61299*' EXIT
	for kind in link directory fifo file; do
		rm -rf "$dir"
		case $kind in
		link) ln -s "$canary" "$dir" ;;
		directory) mkdir -m 777 "$dir" ;;
		fifo) mkfifo "$dir" ;;
		file) : >"$dir" ;;
		esac
		out=$(cd / && env -u XDG_RUNTIME_DIR timeout 20 $user "$BELLJAR" -s prepared -c 'new x' 2>&1)
		has "somebody prepared the run directory as a $kind" "$?:$out" "1:*$dir: *"
		is "and it is left alone" "$(ls -A "$canary" | tr '\n' ' ')$(ls -A "$dir" 2>/dev/null | grep -v "^$dir")" "$(ls -A "$canary" | tr '\n' ' ')$([ $kind != link ] || ls -A "$canary")"
	done
	rm -rf "$dir"
	# The cache and the volumes of who has no home: also a link of another's to what is the user's alone is not followed.
	mkdir -m 700 "$tmp/victim"
	chown 61299 "$tmp/victim"
	tar -C "$R" -cf "$tmp/layer.tar" bin
	for name in cache volumes; do
		dir=/tmp/belljar-61299.$name
		[ $name = cache ] && command="root $tmp/layer.tar" list='cache ls' || command='volume v /mnt' list='volume ls'
		for kind in link directory; do
			rm -rf "$dir"
			case $kind in
			link) ln -s "$tmp/victim" "$dir"; chown -h 61298 "$dir" ;;
			directory) mkdir -p "$dir/layers/evil"; mkfifo "$dir/layers/evil/about"; chown -R 61298 "$dir"; chmod -R a+rX "$dir" ;;
			esac
			for words in "new x; unshare docker; $command" "$list"; do
				out=$(cd / && env -u HOME -u XDG_RUNTIME_DIR -u XDG_CACHE_HOME -u XDG_DATA_HOME -u BELLJAR_CACHE -u BELLJAR_VOLUMES \
					timeout 20 $user "$BELLJAR" -c "$words" 2>&1)
				has "somebody prepared the $name as a $kind: $words" "$?:$out" "1:*$dir: not a directory of yours alone*"
			done
			is "and nothing came to lie there" "$(ls -A "$tmp/victim")" ""
		done
		rm -rf "$dir"
	done
fi
done_testing
