#!/bin/sh
# Volumes, unions at any place, flags and sharing of mounts that live, the table as a tree; and how much may be written: in memory, and in an
# image on disk. Seen inside, in the kernel's tables, and on the host's disk.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] && command -v python3 >/dev/null || { echo "skip - needs busybox-static and python3"; exit 77; }
jar='new a; unshare mnt pid; root busybox'
mkdir -p "$tmp/one" "$tmp/two"
echo 1 >"$tmp/one/both"; echo 2 >"$tmp/two/both"; echo two >"$tmp/two/two"
loops() { losetup -a | grep -c "$BELLJAR_CACHE"; }
shifts() { [ "$(stat -f -c %T "$tmp")" != tmpfs ] || [ "$(uname -r | awk -F. '{ print $1 * 100 + $2 }')" -ge 603 ]; }

# Volumes
run -c "$jar; volume data /data; run sh -c 'echo kept >/data/f'; volume ls"
has "volume: made, and listed" "$status:$out" "0:*data *4096 *1 *a *$tmp/volumes/data"
run -c "$jar; volume data /elsewhere ro; run sh -c 'cat /elsewhere/f; echo x >/elsewhere/f'"
has "... and there the next time, with flags" "$out:$err" "kept:*Read-only*"
is "nobody else comes in" "$(stat -c %a "$tmp/volumes")" 700
run -c "$jar; volume data /data; volume rm data"
has "one that is mounted is not removed" "$status:$err" "1:*volume data: it is mounted in a*"
run -k -c "$jar; volume new /data; undo; volume ../x /data; volume .x /data; volume rm none; new b; volume new /data"
is "undo takes away one that was made" "$out:$(ls "$tmp/volumes")" "took back: volume new /data:data"
is "... and names are checked" "$(echo "$err" | grep -c -e "can't name a volume" -e 'no volume none' -e 'no mount namespace')" 4
run -c "volume rm data; volume ls"
is "volume rm" "$status:$(ls -A "$tmp/volumes")" 0:
if shifts; then
	run -c "new a; unshare user mnt pid; map auto; root busybox; volume v /v; run sh -c 'echo x >/v/f; stat -c %u /v /v/f'; bind $tmp/one /one idmap; run sh -c 'echo y >/one/f; stat -c %u /one/both'"
	is "a mapped user namespace: its owners, the host's on the disk" "$(echo "$out" | tr '\n' ' '):$(stat -c %u "$tmp/volumes/v/f" "$tmp/one/f" | tr '\n' ' ')" "0 0 0 :0 0 "
	run -c "new a; unshare mnt; unshare user; map auto; root busybox; bind $tmp/one /one idmap; volume v /v; run sh -c 'stat -c %u /one/f /v/f; rm /one/f'"
	is "... when mnt came before user" "$(echo "$out" | tr '\n' ' ')" "0 0 "
fi
run -c "new a; unshare user mnt; map auto; root busybox; bind /sys /s idmap"
has "idmap: where it can't be, the file system is named" "$status:$err" "1:*/sys: its owners can't be shown*it is on sysfs*try: *cp -a*"
run -c "$jar; bind /etc /e idmap"
has "idmap: only with a map" "$status:$err" "1:*numbers users as the host does*"

# Unions, flags, sharing
run -c "$jar; overlay /o $tmp/one $tmp/two size 64K; run sh -c 'cat /o/both /o/two; echo x >/o/both; rm /o/two; ls /o; dd if=/dev/zero of=/o/f bs=64k count=16'"
has "overlay: bounded" "$status:$(echo "$out" | tr '\n' ' '):$err" "1:1 two both :*No space left*"
is "... and the layers stay as they were" "$(cat "$tmp/one/both" "$tmp/two/two" | tr '\n' ' ')" "1 two "
run -c "$jar; overlay /o $tmp/one $tmp/two upper $tmp/up; run sh -c 'echo x >/o/new'; overlay /p $tmp/one ro; run sh -c 'cat /p/both; echo x >/p/f'"
has "overlay: upper DIR, ro" "$(cat "$tmp/up/upper/new"):$out:$err" "x:1:*Read-only*"
run -k -c "$jar; tmpfs /t; remount /t ro noexec; run sh -c 'grep \" /t \" /proc/mounts; echo x >/t/f'; undo; run sh -c 'echo x >/t/f && grep \" /t \" /proc/mounts'; remount /t ro rw; remount /bin ro; remount /none ro"
has "remount, and back" "$out" "*/t tmpfs ro,nosuid,nodev,noexec*/t tmpfs rw,nosuid,nodev,relatime*"
has "... refused in words" "$err" "*Read-only*exclude one another*/bin: nothing is mounted there*/none: there is no such*"
run -k -c "$jar; tmpfs /t; propagate /t shared; undo; propagate /t unbindable; run grep ' /t ' /proc/self/mountinfo; undo; propagate /t shared; run grep ' /t ' /proc/self/mountinfo; propagate /t private; undo"
has "propagate, and back" "$(echo "$out" | cut -d' ' -f7):$err" "*unbindable*shared:*can't be taken back*peer group*"
run -c "new a; unshare mnt; tmpfs /mnt; propagate /mnt shared; new b; join mnt of a; unshare mnt; mounts; @a mounts"
run --json -c "new a; unshare mnt; tmpfs $tmp/one; propagate $tmp/one shared; tmpfs $tmp/one; tmpfs $tmp; mounts"
is "JSON: what is covered, and shared" "$(echo "$out" | python3 -c "
import json, sys
t = {}
for m in json.load(sys.stdin): t.setdefault(m['target'], []).append(m)
a, b = t['$tmp/one']
print(a['covered_by'] == '$tmp/one' or a['covered_by'] == '$tmp', b['covered_by'], t['$tmp'][0]['covered_by'], a['propagation'][0].split(':')[0], a['peers'], t['/'][0]['locked'])" | sed "s|$tmp|TMP|g")" \
	"True TMP None shared [] False"
run --json -c "new a; unshare user mnt; map auto; mounts"
is "JSON: what is locked" "$(echo "$out" | python3 -c "
import json, sys
m = json.load(sys.stdin)
print(sorted({x['locked'] for x in m if x['target'] != '/'}), m[0]['locked'], len(m) > 3)")" "[True] False True"
run -c "new a; unshare user mnt; map auto; umount /proc"
has "... is" "$status:$err" "1:*is locked to what it covers*"
run -c "new a; unshare user mnt pid; map auto; root busybox; tmpfs /t; umount /t; mounts"
hasnt "... and nothing of one's own is" "$status:$out" "*locked*"

# How much may be written
run --json -c "$jar; limit disk 1M; run sh -c 'dd if=/dev/zero of=/f bs=64K count=32; stat -c %s /f'; usage"
is "limit disk: writing ends" "$(echo "$out" | head -1)" 1048576
is "... usage tells" "$(echo "$out" | tail -n +2 | python3 -c "import json, sys; u = json.load(sys.stdin)[0]; print(u['disk'], u['disk_free'], u['disk_files'] > 0)")" "1048576 0 True"
run -c "$jar; limit disk 256K; run sh -c 'i=0; while echo -n >/f\$i; do i=\$((i+1)); done 2>/dev/null; test \$i -lt 2000 && echo bounded'"
is "... files are bounded too" "$out" bounded
run -k -c "$jar; run sh -c 'head -c 2000000 /dev/zero >/f'; limit disk 1M; limit disk 4M; limit disk max; run sh -c 'head -c 8388608 /dev/zero >/f && echo grown'; limit disk 16M; undo; limit"
has "limit disk: grows, is lifted, taken back" "$out" "grown*disk *256M *8M, 3% *"
has "... and is not less than what is there" "$err" "*can't be made 1048576 bytes large*written there already*"
run -k -c "$jar; limit disk 8M; reset; limit; new c like a; limit"
is "reset and like keep it" "$(echo "$out" | awk '/^disk/ { print $2 }' | tr '\n' ' ')" "8M 8M "
mkdir "$tmp/memory" && mount -t tmpfs tmpfs "$tmp/memory"
run -k -c "new a; limit disk 1M; unshare mnt; root busybox upper $tmp/memory/up; limit disk 1M; root busybox ro; limit disk 1M"
umount "$tmp/memory"
is "limit disk: refused in words" "$(echo "$err" | grep -c -e "host's root" -e "can't be limited (" -e "on tmpfs, which has no project quotas" -e "upper image" -e "no upper layer")" 5
if [ -e /dev/loop-control ] && [ -x /sbin/mke2fs ]; then
	run -k -c "$jar; root busybox upper image size 8M; run sh -c 'dd if=/dev/zero of=/f bs=64k count=256'; run stat -f -c %s:%b /; layers; run sh -c 'rm /f; echo x >/g'; changes; !losetup -a | grep -c $BELLJAR_CACHE"
	has "upper image: writing ends" "$out:$err" "*image *upper *added *new *file *2 */g*1:*No space left*"
	run -c "$jar; root busybox upper image size 8M; !find $BELLJAR_CACHE -type f | wc -l"
	is "... its file has no name" "$out" 0
	run -s bj-image -c "$jar; root busybox upper image size 4M; run sh -c 'echo x >/g'"
	run -s bj-image -c "changes; reset; limit | grep disk"
	has "... in a session that lasts" "$out" "*/g*disk*"
	"$BELLJAR" -s bj-image -c end >/dev/null 2>&1 </dev/null
	"$BELLJAR" -c "$jar; root busybox upper image size 4M; run sh -c 'echo there; exec sleep 100'" >"$tmp/there" 2>/dev/null </dev/null &
	for i in $(seq 100); do grep -q there "$tmp/there" && break; sleep 0.1; done
	is "an image that is in use" "$(loops)" 1
	kill -9 $!
	wait $! 2>/dev/null
	for i in $(seq 100); do [ "$(loops)" = 0 ] && break; sleep 0.1; done
	is "... and nothing is left of it after kill -9" "$(loops):$(find "$BELLJAR_CACHE" -type f | wc -l)" 0:0
	run -c "$jar; root busybox upper image size 64K"
	has "too small an image" "$status:$err" "2:*leaves no room*"
	run -c "$jar; root busybox upper image ro"
	is "an image that is not written to" "$status" 2
fi
done_testing
