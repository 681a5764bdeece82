#!/bin/sh
# limit disk for an upper layer that is a directory of the host's: a project quota, seen in the kernel's quotas and in the files' own numbers.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] && command -v python3 >/dev/null || { echo "skip - needs busybox-static and python3"; exit 77; }
jar="new a; unshare mnt pid; root busybox upper $tmp/disk/up"
truncate -s 64M "$tmp/quotas"
mkdir "$tmp/disk"
projects() # all that have something, as their files and the kernel's quotas say
{
	lsattr -R -p -a "$tmp/disk" 2>/dev/null | awk '$1 ~ /^[0-9]+$/ && $1 != 0 { print $1 }'
	python3 - "$tmp/disk" <<-END
		import ctypes, os, struct, sys
		call, fd, at = ctypes.CDLL(None, use_errno=True).syscall, os.open(sys.argv[1], os.O_RDONLY), 1
		q = ctypes.create_string_buffer(112)
		while call(443, fd, (ord('X') << 8 | 9) << 8 | 2, ctypes.c_uint32(at), q) == 0:
		    at = struct.unpack_from('I', q, 4)[0]
		    if any(struct.unpack_from('QQQQQQ', q, 8)): print('quota', at)
		    at += 1
	END
}
mkfs.ext4 -q -F "$tmp/quotas" 2>/dev/null && mount -o loop "$tmp/quotas" "$tmp/disk" 2>/dev/null || { echo "skip - no loop device to be had"; exit 77; }
run -c "$jar; limit disk 1M"
has "without project quotas the limit is refused" "$status:$err" "1:*/disk/up: *can't be limited*on ext4, where no project quotas*upper image*prjquota*"
umount "$tmp/disk"

mkfs.ext4 -q -F -O quota,project -E quotatype=prjquota "$tmp/quotas" 2>/dev/null && mount -o loop,prjquota "$tmp/quotas" "$tmp/disk" 2>/dev/null || {
	echo "# the kernel keeps no project quotas: only that was tried"
	exit $((failed > 0))
}
run --json -c "$jar; run sh -c 'echo before >/before'; limit disk 1M; run sh -c 'dd if=/dev/zero of=/f bs=64K count=32; test \$(stat -c %s /f) -gt 900000 -a \$(stat -c %s /f) -le 1048576 && echo bounded'; usage"
has "limit disk of a directory: writing ends" "$out:$err" "bounded*:*uota exceeded*"
is "... usage tells" "$(echo "$out" | tail -n +2 | python3 -c "import json, sys; u = json.load(sys.stdin)[0]; print(u['disk'] + u['disk_free'], u['disk_free'] < 65536, u['disk_files'] > 0)")" "1048576 True True"
is "... nothing is left of it" "$(projects)" ""
run -k -c "$jar; limit disk 64K; run rm /f; limit disk 1M; limit disk 4M; run dd if=/dev/zero of=/f bs=1M count=3; undo; limit; limit disk max; run dd if=/dev/zero of=/f bs=1M count=8; run rm /f; limit disk 4M; reset; limit"
has "... it is not less than what is there" "$err" "*can't be limited to 65536 bytes*written there already*"
is "... taken back, lifted, kept by reset" "$(echo "$out" | awk '/^disk/ { print $2 }' | tr '\n' ' '):$(echo "$err" | grep -c "uota exceeded")" "4M 4M :0"
is "... nothing is left of it" "$(projects)" ""
"$BELLJAR" -c "$jar; limit disk 1M; run sh -c 'mkdir -p /d/e; echo x >/d/e/f; echo there; exec sleep 100'" >"$tmp/limited" 2>/dev/null </dev/null &
for i in $(seq 200); do grep -q there "$tmp/limited" && break; sleep 0.1; done
has "a project of its own, with what is in it" "$(projects | sort -u | wc -l):$(lsattr -p -d "$tmp/disk/up/upper/d/e")" "2:*16[0-9]* *P* */e"
kill -9 $!
wait $! 2>/dev/null
for i in $(seq 200); do [ -z "$(projects)" ] && break; sleep 0.1; done
is "... and nothing is left of it after kill -9" "$(projects)" ""
chattr -p 77 "$tmp/disk/up"
run -c "$jar; limit disk 1M"
has "the host's own project is not touched" "$status:$err:$(lsattr -p -d "$tmp/disk/up")" "1:*limited already, as the host's project 77*: *77 *"
umount "$tmp/disk"
exit $((failed > 0))
