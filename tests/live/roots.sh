#!/bin/sh
# Roots: the host's under an overlay, busybox, a directory, archives; what is in them, what becomes of writes, and what must be refused.
. "$(dirname "$0")/front.inc"
able 'unshare docker; root host; root busybox'
[ -x /bin/busybox ] && command -v python3 >/dev/null || { echo "skip - needs busybox-static and python3"; exit 77; }
: "${PROBE:?}"
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }
mkdir -p "$tmp/dir/bin" "$tmp/canary"
cp /bin/busybox "$tmp/dir/bin/sh"
cp "$PROBE" "$tmp/dir/bin/probe"
echo outside >"$tmp/canary/secret"
jar='new a; unshare mnt pid net uts ipc'

# host
run -c "$jar; root host; run sh -c 'echo x >/etc/belljar-test && cat /etc/belljar-test; ls -d /proc/[0-9]* | wc -l; head -c2 /dev/zero | wc -c; tty -s; ls /dev/pts/ptmx'"
is "root host: works and can be written" "$status:$(echo "$out" | head -1)" 0:x
is "root host: writes are thrown away" "$(ls /etc/belljar-test 2>/dev/null)" ""
run -c "$jar; root host size 1M; run sh -c 'head -c 4M /dev/zero >/big; echo \$?'"
isnt "root host: what can be written is limited" "$(echo "$out" | tail -1)" 0

# busybox
run -c "$jar; root busybox; run sh -c 'ls /bin | wc -l; ls /dev; cat /proc/mounts; touch /sys/x 2>/dev/null; echo \$?'"
is "root busybox" "$status" 0
has "its devices" "$out" "*fd*full*null*ptmx*pts*random*shm*stdin*tty*urandom*zero*"
has "a read-only /sys with a net namespace" "$out" "*sysfs /sys sysfs ro*1"
run -c "new a; unshare mnt pid; root busybox; run cat /proc/mounts"
hasnt "no /sys without" "$out" "* /sys *"
run -c "$jar; root busybox; run sh -c 'ls /proc/1/root/bin | head -1; ls /proc/1/root/etc/shadow 2>&1'"
hasnt "pid 1 does not lead out" "$out" "/proc/1/root/etc/shadow"

# a directory: thrown away, read-only, for good
run -c "$jar; root $tmp/dir; run sh -c 'echo w >/new; cat /new'"
is "a directory" "$out" w
is "is not written to" "$(ls "$tmp/dir")" bin
run -c "$jar; root $tmp/dir ro; run sh -c 'echo w >/new'"
isnt "read-only" "$status" 0
rm -rf "$tmp/dir/proc" "$tmp/dir/dev" "$tmp/dir/sys"
mkdir "$tmp/dir/proc" "$tmp/dir/dev" "$tmp/dir/sys"
run -c "$jar; root $tmp/dir rw; run sh -c 'echo w >/new'"
is "writable" "$(cat "$tmp/dir/new" 2>/dev/null)" w
rm -f "$tmp/dir/new"
run -c "$jar; root $tmp/dir; run probe facts"
is "nothing of the host in its descriptors" "$(printf '%s\n' "$out" | grep -c '^fd\.')" 3
is "root and directory" "$(fact root)$(fact cwd)" //

# archives
tar -C "$tmp/dir" -cf "$tmp/a.tar" .
for pack in gzip xz zstd; do
	command -v $pack >/dev/null || continue
	$pack -c "$tmp/a.tar" >"$tmp/a.tar.$pack"
	run -c "$jar; root $tmp/a.tar.$pack; run sh -c 'echo unpacked'"
	is "an archive: $pack" "$out" unpacked
done
head -c 300000 "$tmp/a.tar" >"$tmp/cut.tar"
run -c "$jar; root $tmp/cut.tar"
is "a truncated archive" "$status" 1
python3 - "$tmp" <<'P'
# Entries that try to get out, each by another road.
import io, sys, tarfile
top = sys.argv[1]
out = tarfile.open(top + "/hostile.tar", "w", format=tarfile.PAX_FORMAT)
def entry(name, kind=tarfile.REGTYPE, link="", data=b"owned\n"):
    t = tarfile.TarInfo(name)
    t.type, t.linkname = kind, link
    t.size = len(data) if kind == tarfile.REGTYPE else 0
    t.mode = 0o755
    out.addfile(t, io.BytesIO(data) if kind == tarfile.REGTYPE else None)
canary = top + "/canary"
up = "../" * 20 + canary.lstrip("/")
entry("bin", tarfile.DIRTYPE)
entry("bin/sh", data=open(top + "/dir/bin/sh", "rb").read())
entry(canary + "/absolute")
entry("link", tarfile.SYMTYPE, canary)
entry("link/through")
entry("rel", tarfile.SYMTYPE, up)
entry("rel/through")
entry("chain", tarfile.SYMTYPE, "link")
entry("chain/through")
entry("hard", tarfile.LNKTYPE, canary + "/secret")
entry("hard")
entry("hard2", tarfile.LNKTYPE, "link/secret")
entry("dev", tarfile.SYMTYPE, canary)
entry("dev/null")
entry("proc", tarfile.SYMTYPE, canary)
out.close()
out = tarfile.open(top + "/dots.tar", "w")
entry(up + "/dots")
out.close()
P
for archive in hostile dots; do
	run -c "$jar; root $tmp/$archive.tar; run sh -c 'true'"
	is "a hostile archive ($archive) changes nothing outside" "$(ls "$tmp/canary"; cat "$tmp/canary/secret")" "secret
outside"
done
ln -s "$tmp/canary" "$tmp/dir/dev2"
rmdir "$tmp/dir/dev"
mv "$tmp/dir/dev2" "$tmp/dir/dev"
run -c "$jar; root $tmp/dir; run sh -c true"
is "a link as /dev leads nowhere" "$(ls "$tmp/canary")" secret
rm "$tmp/dir/dev"

# mounts
run -c "$jar; root busybox; tmpfs /mnt size 1M; bind $tmp/canary /home ro; run sh -c 'cat /home/secret; echo x >/home/secret; head -c 2M /dev/zero >/mnt/f; ls -s /mnt/f'"
has "bind and tmpfs" "$out" "outside*"
is "a read-only bind" "$(cat "$tmp/canary/secret")" outside
run -c "$jar; root busybox; tmpfs /mnt; expect mounted /mnt tmpfs; umount /mnt; expect not mounted /mnt; tmpfs /mnt; undo; expect not mounted /mnt"
is "umount and undo" "$status" 0
run -c "$jar; mounts"
has "mounts" "$out" "*/proc*proc*"

# refused
for bad in "new a; root host" "$jar; root /nowhere" "$jar; root /etc/passwd" "$jar; root busybox size 0" "$jar; root busybox; run -d sleep 9; root host" \
	"$jar; mount nosuchfs /mnt" "$jar; bind /nowhere /mnt" "$jar; tmpfs relative" "$jar; umount /nowhere" "$jar; root busybox; bind /etc/../etc /../mnt"; do
	run -c "$bad"
	[ "$status" = 1 ] || [ "$status" = 2 ] || fail "refused: $bad (status $status)"
	[ -n "$err" ] || fail "in words: $bad"
done
ok "bad input is refused in words"
exit $((failed > 0))
