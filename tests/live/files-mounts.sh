#!/bin/sh
# mount, bind, tmpfs, umount, mounts: seen from inside and from the mount table outside, taken back, and refused in words.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] || { echo "skip - needs busybox-static"; exit 77; }
jar='new a; unshare mnt pid; root busybox'
mkdir -p "$tmp/src/below" "$tmp/low1" "$tmp/low2"
echo text >"$tmp/src/file"
echo one >"$tmp/low1/one"
echo 1 >"$tmp/low1/both"
echo two >"$tmp/low2/two"
echo 2 >"$tmp/low2/both"
before=$(sort /proc/self/mountinfo)

# Types of the kernel's
run -c "$jar; mount tmpfs /mnt size=1m,noexec,mode=750; run grep ' /mnt ' /proc/mounts; run stat -c %a /mnt"
has "tmpfs with options of both kinds" "$out" "tmpfs /mnt tmpfs rw,noexec,*size=1024k*750"
run -c "$jar; mount tmpfs label /mnt; mounts | grep label"
has "a source" "$out" "*/mnt *tmpfs *label*"
run -c "$jar; mount proc /new/proc ro; run sh -c 'ls -d /new/proc/1 /new/proc/\$\$ && ! echo 1 >/new/proc/sys/kernel/panic'"
is "proc is that of the pid namespace, ro, and its directory is made" "$status:$(echo "$out" | head -1)" 0:/new/proc/1
run -c "$jar; unshare ipc; mount mqueue /mnt; run ls -d /mnt; umount /mnt/../mnt"
has "no .. in a path inside" "$status:$out$err" "2:/mnt*no .. in a path*"
run -c "new a; unshare mnt net; root busybox; mount sysfs /s; run ls /s/class/net"
is "sysfs is that of the net namespace" "$out" lo
run -c "$jar; mount overlay $tmp/low1:$tmp/low2 /o; run sh -c 'cat /o/one /o/two /o/both; echo x >/o/two; rm /o/one; cat /o/two'; run ls /o"
is "overlay: layers of the host, the first on top" "$(echo "$out" | tr '\n' ' ')" "one two 1 x both two "
is "... and they stay as they were" "$(cat "$tmp/low1/one" "$tmp/low2/two" | tr '\n' ' ')" "one two "
run -c "$jar; mount overlay $tmp/low1 /o size=65536; run sh -c 'head -c 1M /dev/zero >/o/f'"
isnt "overlay: bounded" "$status" 0
export LONG=$(printf 'x%.0s' $(seq 300))
for try in "mount nosuchfs /mnt:no file system of that type*ENODEV" "mount tmpfs /mnt size=wide:Bad value for 'size'" "mount tmpfs /mnt colour=red:the option colour=red*Unknown parameter*EINVAL" \
	"mount ext4 /nowhere /mnt:*ENOENT" "mount ext4 $tmp/src/file /mnt:no block device" "mount overlay /nowhere /mnt:/nowhere: there is no such directory" \
	"mount overlay $tmp/src/file /mnt:it is no directory" "mount overlay /proc /mnt:can't be a layer" "mount tmpfs /bin/busybox:can't be mounted on" \
	"mount tmpfs /bin/busybox/x:*" "tmpfs /mnt size 0:no room" "tmpfs /mnt mode 9:octal" "tmpfs /mnt mode 77777:7777" "tmpfs mnt:begins with /" \
	"bind /nowhere /mnt:no such file or directory on the host" "bind $tmp/src /bin/busybox:can't be mounted on" "umount /mnt:nothing is mounted" "umount /nowhere:no such file" \
	"umount /:can't be unmounted" "mount tmpfs /\$LONG:too long"; do
	run -c "$jar; ${try%%:*}"
	[ "$status" = 1 ] || [ "$status" = 2 ] || fail "refused: ${try%%:*} (status $status)"
	has "in words: $(echo "${try%%:*}" | cut -c1-60)" "$err" "*${try#*:}*"
	run -k -c "$jar; ${try%%:*}; mounts | sed 1d | wc -l; run sh -c 'ls -A /mnt; test -f /bin/busybox'"
	is "... and nothing is changed" "$(echo "$out" | tr '\n' ' ')" "5 "
done

# Binds
run -c "$jar; bind $tmp/src /b; bind $tmp/src/file /deep/er/f ro; run sh -c 'cat /b/file /deep/er/f; echo new >/b/made; echo x >/deep/er/f'"
has "a directory, and a file read-only" "$out$err" "text
text*Read-only file system*"
is "writes through a bind reach the host" "$(cat "$tmp/src/made" "$tmp/src/file" | tr '\n' ' ')" "new text "
rm "$tmp/src/made"
run -c "new a; unshare mnt; root busybox; bind /proc /p; bind /proc /q rec; mounts | grep -c ' proc '"
isnt "with and without what is below" "$out" 0
mount -t tmpfs over "$tmp/src/below" && echo below >"$tmp/src/below/f"
run -c "$jar; bind $tmp/src /b; bind $tmp/src /r rec ro; run sh -c 'ls /b/below; cat /r/below/f; echo x >/r/below/f'"
has "recursive: what is mounted below is shown too, and is as read-only" "$out$err" "below*Read-only*"
umount "$tmp/src/below"
cp /bin/busybox "$tmp/src/program"
mknod "$tmp/src/null" c 1 3
run -k -c "$jar; bind $tmp/src /b noexec nodev nosuid; run sh -c 'grep \" /b \" /proc/mounts; echo x >/b/null; cat /b/file'; run /b/program true"
has "noexec, nodev, nosuid" "$out$err" "*/b *nosuid,nodev,noexec*text*Permission denied*(EACCES)*"
is "... and the host's own mount is as before" "$(findmnt -no OPTIONS -T "$tmp" | grep -c noexec)" 0
rm "$tmp/src/program" "$tmp/src/null"
ln -s "$tmp/src/file" "$tmp/link"
run -c "$jar; bind $tmp/link /l; run cat /l"
is "a link on the host is followed there" "$out" text
run -c "$jar; run sh -c 'ln -s $tmp /away; ln -s /mnt /here'; tmpfs /here; expect mounted /mnt; bind $tmp/src/file /away/made"
has "links inside lead inside" "$status:$out$err" "1:*link*leads nowhere*"
is "... and make nothing outside" "$(ls -A "$tmp" | grep -c made)" 0

# Taking back
run -c "$jar; tmpfs /x/y/z; undo; run ls -d /x"
has "undo: the mount and the directories made for it" "$err" "*/x: No such file*"
run -c "$jar; bind $tmp/src/file /x/f; undo; run ls -d /x"
has "undo: a file made to mount on" "$err" "*/x: No such file*"
run -c "$jar; tmpfs /x/y; run touch /x/other; umount /x/y; run ls /x; expect not mounted /x/y"
is "what was made stays where it is in use" "$(echo "$out" | tr '\n' ' ')" "other y "
run -c "$jar; tmpfs /mnt; run -d sh -c 'cd /mnt && exec sleep 9'; sleep 300ms; umount /mnt"
has "busy" "$status:$err" "1:*EBUSY*lazy*"
run -c "$jar; tmpfs /mnt; run -d sh -c 'cd /mnt && exec sleep 9'; sleep 300ms; umount /mnt lazy; expect not mounted /mnt"
is "lazy" "$status" 0
run -c "$jar; tmpfs /mnt; tmpfs /mnt; umount /mnt; expect mounted /mnt; umount /mnt; expect not mounted /mnt"
is "one over another" "$status" 0
i=1
while [ $i -le 4 ]; do
	BELLJAR_FAULT=$((i + 12)) "$BELLJAR" -k -c "new a; unshare mnt pid; root busybox; tmpfs /x/y; run ls /" >"$tmp/out" 2>&1 </dev/null
	grep -q 'failed on purpose' "$tmp/out" && hasnt "a failed step leaves nothing ($i)" "$(tail -20 "$tmp/out" | tr '\n' ' ')" "* x *"
	i=$((i + 1))
done

# The table
run --json -c "$jar; tmpfs '/mnt/a b' size 1M; mounts"
has "as JSON" "$out" '*"target":"/mnt/a b","type":"tmpfs",*"options":"rw,nosuid,nodev,*size=1024k*"propagation":\["private"\]*'
# ... tells what a process inside reads, whichever way the kernel was asked
mkdir -p "$tmp/root/x" "$tmp/root/proc" "$tmp/root/bin"
cp /bin/busybox "$tmp/root/bin/"
for how in "" " chroot"; do
	run --json -c "new a; unshare mnt pid; root $tmp/root$how; tmpfs '/x/a b' size 1M; mount tmpfs '/x/a b' noexec; tmpfs /s; propagate /s shared; mounts; run /bin/busybox cat /proc/self/mountinfo"
	inside=$(echo "$out" | sed -n 's/^\([0-9]*\) \([0-9]*\) [0-9]*:.* - .*/\1,\2/p' | sort)
	is "the mounts that are seen inside,${how:- pivot_root}" "$(echo "$out" | grep -o '"id":[0-9]*,"parent":[0-9]*' | tr -dc '0-9,\n' | sort)" "${inside:-some}"
	has "... with places, options, groups" "$out" '*"target":"/x/a b","type":"tmpfs",*"covered_by":"/x/a b"*"options":"rw,noexec,relatime"*"target":"/s",*"propagation":\["shared:[0-9]*"\]*'
done
run -c "new a; unshare mnt; tmpfs $tmp/nowhere"
has "nothing is made on the host to mount on" "$status:$err:$(ls -d "$tmp/nowhere" 2>/dev/null)" "1:*no such file*try: root host*:"
run -c "new a; unshare mnt; tmpfs $tmp/src size 1M; expect mounted $tmp/src; run ls $tmp/src"
is "what is there can be mounted on" "$status:$out:$(cat "$tmp/src/file")" 0::text
run -c 'new a; mounts'
has "the host's, where it is shared" "$status:$out" "0:*/proc*"
for command in "tmpfs /mnt" "bind /etc /mnt" "mount tmpfs /mnt" "umount /proc"; do
	run -c "new a; $command"
	has "not on the host: $command" "$status:$err" "1:*no mount namespace of its own*try: unshare mnt*"
done
is "nothing has come to or gone from the host's table" "$(sort /proc/self/mountinfo)" "$before"
run -n -c 'new a; unshare mnt pid; root busybox; tmpfs /mnt; bind /etc /e ro rec; umount /e lazy; mounts'
is "all of it can be planned" "$status" 0
exit $((failed > 0))
