#!/bin/sh
# Roots: who owns what is in them when users are numbered otherwise, what may be where /proc, /dev and /sys go, and replacing a root.
. "$(dirname "$0")/front.inc"
[ "$(id -u)" = 0 ] || { echo "skip - needs root"; exit 77; }
[ -x /bin/busybox ] || { echo "skip - needs busybox-static"; exit 77; }
jar='new a; unshare mnt pid net ipc'
mapped='new a; unshare user mnt pid net ipc; map auto'
kernel=$(uname -r | awk -F. '{ print $1 * 100 + $2 }')
mkdir -p "$tmp/dir/bin" "$tmp/dir/etc" "$tmp/canary"
cp /bin/busybox "$tmp/dir/bin/"
for name in sh ls stat cat touch; do ln -s busybox "$tmp/dir/bin/$name"; done
echo mine >"$tmp/dir/etc/mine"
echo theirs >"$tmp/dir/etc/theirs"
chown 1000:1001 "$tmp/dir/etc/theirs"
tar -C "$tmp/dir" -cf "$tmp/dir.tar" .

# Owners: tmpfs has id-mapped mounts from 6.3 on, so a directory there (as in the tests' machine) is shown as it is by older kernels.
run -c "$mapped; root busybox; run sh -c 'stat -c %u:%g / /bin/busybox /dev /etc/passwd; echo x >/etc/new && stat -c %u /etc/new; echo y >/dev/shm/y && rm /etc/passwd && mkdir /a && echo changed'"
is "busybox: all belongs to the sandbox's root, which may change it" "$out" "0:0
0:0
0:0
0:0
0
changed"
run -c "$mapped; root $tmp/dir.tar; run sh -c 'stat -c %u:%g / /etc/mine /etc/theirs; echo x >>/etc/mine && cat /etc/mine'"
is "an archive's owners are the sandbox's" "$out" "0:0
0:0
1000:1001
mine
x"
fs=$(stat -f -c %T "$tmp")
if [ "$kernel" -ge 603 ] || [ "$fs" != tmpfs ]; then
	run -c "$mapped; root $tmp/dir; run sh -c 'stat -c %u:%g / /etc/mine /etc/theirs; echo x >>/etc/mine && cat /etc/mine'"
	is "a directory's too" "$out" "0:0
0:0
1000:1001
mine
x"
	is "and it is not changed" "$(cat "$tmp/dir/etc/mine")" mine
	run -c "$mapped; root $tmp/dir rw; run sh -c 'echo x >/made && stat -c %u /made'"
	is "writes that reach it" "$out:$(stat -c %u "$tmp/dir/made")" 0:0
	rm -rf "$tmp/dir/made" "$tmp/dir/proc" "$tmp/dir/dev" "$tmp/dir/sys"
else
	ok "a directory on $fs under this kernel: shown with its own owners"
fi
mkdir "$tmp/ram"
cat >"$tmp/ram.sh" <<E
mount -t ramfs ram $tmp/ram && cp -a $tmp/dir/. $tmp/ram/ && chmod 755 $tmp/ram && exec "$BELLJAR" -c "$mapped; root $tmp/ram; run stat -c %u /etc/mine; bind $tmp/ram /mnt idmap"
E
out=$(unshare -m sh "$tmp/ram.sh" 2>&1 </dev/null)
has "a file system that can't show other owners is named" "$out" "note: $tmp/ram is on ramfs, which can't*try: !cp -a $tmp/ram COPY*65534*bind*ramfs*"
run -c "$mapped; root busybox; tmpfs /mnt mode 700; tmpfs /new/dir; bind $tmp/canary /bound; run sh -c 'stat -c %u /mnt /new /new/dir; touch /mnt/f && echo written; touch /bound/f'"
is "a tmpfs, and what is made to mount on" "$(echo "$out" | tr '\n' ' ')" "0 0 0 written "
is "a bind stays the host's" "$(ls -A "$tmp/canary")" ""
run -c "new a; unshare user mnt pid; root busybox; map auto; run sh -c 'echo x >/f'"
isnt "a root made before the map is nobody's" "$status" 0
run -c "$jar; root busybox; run sh -c 'stat -c %u:%g / /bin/busybox'; new b; unshare user mnt; map auto; root busybox; run sh -c 'stat -c %u /; echo x >/f && echo b'; new c; unshare mnt; root busybox; run sh -c 'stat -c %u / && echo x >/f && echo c; cat /f'"
is "one after the other, each its own" "$(echo "$out" | tr '\n' ' ')" "0:0 0:0 0 b 0 c x "

# What lies where something is to be mounted
attempt()
{
	run -c "$jar; root $tmp/dir$2; run sh -c 'ls -d /proc/1 /dev/null; test -c /dev/null && echo fits'"
	has "$1" "$status:$out$err" "$3"
	is "... and nothing outside changes" "$(ls -A "$tmp/canary")" ""
}
for at in proc dev sys; do
	attempt "/$at is not there" "" "0:*fits"
	mkdir "$tmp/dir/$at"
	attempt "/$at is a directory" "" "0:*fits"
	echo hidden >"$tmp/dir/$at/file"
	attempt "/$at is a full one" "" "0:*fits"
	rm -r "$tmp/dir/$at"
	for what in "ln -s bin" "ln -s $tmp/canary" "ln -s ../../../../../../../../../../$tmp/canary" "ln -s $at" "ln -s nowhere" "ln -s /proc/self/root" touch mkfifo; do
		$what "$tmp/dir/$at"
		attempt "/$at: $what" "" "1:*root: /$at: it is *"
		attempt "/$at: $what, for good" " rw" "1:*root: /$at: it is *"
		rm "$tmp/dir/$at"
		is "... and what was made before is taken away" "$(ls -A "$tmp/dir" | tr '\n' ' ')" "bin etc "
	done
done
# What is where belljar's own files of names go: they are the root's own then, and belljar itself reads none of them.
mv "$tmp/dir/etc" "$tmp/dir/kept"
bridge='bridge br0 10.9.0.1/24; link a br0 10.9.0.2/24'
attempt_etc()
{
	timeout 20 "$BELLJAR" -k -c "$jar; root $tmp/dir; $bridge; user 7; run sh -c 'cat /kept/mine; echo x >>/etc/hosts; echo still'" >"$tmp/out" 2>&1 </dev/null
	has "/etc: $1" "$(cat "$tmp/out")" "*mine*still*"
	is "... and nothing outside changes" "$(ls -A "$tmp/canary")$(ls -A "$tmp/dir" | tr '\n' ' ')" "bin etc kept "
}
for what in "ln -s $tmp/canary" "ln -s ../../../../../../../../../../$tmp/canary" "ln -s etc" "ln -s /proc/self/root" "ln -s nowhere" touch mkfifo; do
	$what "$tmp/dir/etc"
	attempt_etc "$what"
	rm "$tmp/dir/etc"
done
mkdir "$tmp/dir/etc"
for name in passwd group nsswitch.conf ld.so.preload; do mkfifo "$tmp/dir/etc/$name"; done
ln -s "$tmp/canary/hosts" "$tmp/dir/etc/hosts"
ln -s "$tmp/canary/resolv.conf" "$tmp/dir/etc/resolv.conf"
attempt_etc "fifos as passwd and group, links as hosts and resolv.conf"
rm -r "$tmp/dir/etc"
mv "$tmp/dir/kept" "$tmp/dir/etc"
run -c "$jar; root $tmp/dir ro"
has "read-only needs what is mounted on" "$status:$err" "1:*no directory proc in it*try: mkdir $tmp/dir/proc*"
run -c "$jar; root $tmp/canary; run sh"
has "an empty root: nothing to run" "$status:$err" "127:*"
is "and it stays empty" "$(ls -A "$tmp/canary")" ""

# Words and paths
mkdir "$tmp/host" "$tmp/a b:c,d\\e"
cp -a "$tmp/dir/." "$tmp/a b:c,d\\e/"
cp -a "$tmp/dir/." "$tmp/host/"
echo named >"$tmp/host/etc/mine"
(cd "$tmp" && "$BELLJAR" -c "$jar; root ./host; run cat /etc/mine; ls" >"$tmp/out" 2>&1 </dev/null)
has "a directory that is called host" "$(cat "$tmp/out")" "named*$tmp/host*"
run -c "$jar; root '$tmp/a b:c,d\\e'; run cat /etc/mine"
is "a path of odd characters" "$out$err" mine
run -c "$jar; root '$tmp/a b:c,d\\e' ro"
isnt "... as it is" "$status" 0
run -c "$jar; root '$tmp/$(printf '\033')[31m'"
hasnt "a path of control characters" "$err" "*$(printf '\033')*"
for bad in "root host size 0" "root host size 1" "root host ro size 1M" "root busybox rw" "root host rw" "root" "root host ro rw" "root host size"; do
	run -c "$jar; $bad"
	is "usage: $bad" "$status" 2
done
run -c "new a; root host"
has "without a mount namespace" "$status:$err" "1:*no mount namespace*unshare mnt*"

# chroot, the weak one: root inside walks out of it, and not out of the root of a mount namespace
echo outside >"$tmp/canary/secret"
cp "$PROBE" "$tmp/dir/bin/probe"
run -k -c "$jar; root $tmp/dir chroot; run cat /etc/mine; run sh -c 'echo x >/made; ls /made /proc/1 >/dev/null && cat $tmp/canary/secret'; run probe escape $tmp/canary/secret"
has "chroot: names begin there, and the way out leads out" "$out$err" "mine
outside*$tmp/canary/secret*No such file*"
for who in "$jar" "$mapped"; do
	run -c "$who; root busybox $tmp/dir; run probe escape $tmp/canary/secret"
	has "pivot_root: the same way leads nowhere" "$status:$err" "1:*$tmp/canary/secret: No such file*"
done
is "... and nothing was written to the directory" "$(ls "$tmp/dir" | tr '\n' ' ')" "bin etc "
run -k -c "$jar; root $tmp/dir rw chroot; run sh -c 'echo x >/made'; unshare uts; share uts; run probe escape $tmp/canary/secret; run ls /made; mounts; changes; root busybox"
has "chroot rw; it lasts when the first process is replaced" "$out" "outside
/made
*"
hasnt "mounts and programs begin at it" "$out" "*$tmp*"
has "... and it is left with the mount namespace" "$status:$err" "1:*what is written reaches*locked into its root*share mnt, unshare mnt*"
is "writes reach it" "$(cat "$tmp/dir/made")" x
rm -rf "$tmp/dir/made" "$tmp/dir/proc" "$tmp/dir/dev" "$tmp/dir/sys"
run -c "$jar; root $tmp/dir busybox chroot upper $tmp/locked; run sh -c 'echo new >/etc/new'; changes; reset"
has "chroot of several layers, with an upper one; reset" "$status:$out$err" "1:*/etc/new*locked into its root*"
run -k -c "$jar; root host; root $tmp/dir chroot; run cat /etc/mine; tmpfs /mnt; expect mounted /mnt; run probe escape /etc/passwd; share mnt; run cat $tmp/canary/secret; unshare mnt; root busybox; run true"
has "chroot in a root of its own, then without" "$status:$out$err" "0:mine
root:*outside*"
run -s bj-locked -c "$jar; root $tmp/dir chroot"
run -s bj-locked -c "tmpfs /mnt; run sh -c 'echo x >/mnt/f; cat /etc/mine'; show; run ls $tmp/canary"
has "... and a later belljar finds it" "$out$err" "mine*$tmp/canary: No such file*"
"$BELLJAR" -s bj-locked -c end >/dev/null 2>&1 </dev/null
for what in busybox host "$tmp/dir.tar" "$tmp/nothing"; do
	run -c "$jar; root $what chroot"
	has "chroot needs a place: $what" "$status:$err" "2:*chroot is for a directory*"
done

# Again
run -k -c "$jar; root busybox; run sh -c 'echo first >/f'; root $tmp/dir; run cat /f; root host; run cat /bin/sh > /dev/null; run -d sleep 9; root busybox"
has "a second root; not while programs run" "$status:$err" "1:*No such file*programs run in it*kill all*"
run -c "$jar; root busybox; undo"
has "it can't be undone" "$status:$err" "1:*the old root is gone*"
run -c "$jar; root busybox; run sh -c 'mount | wc -l'; root busybox; root busybox; run sh -c 'mount | wc -l'"
is "old roots leave no mounts" "$(echo "$out" | uniq | wc -l)" 1
run -c "$jar; root busybox; share pid; run sh -c 'test -d /proc/$$ && echo host'; unshare pid; run sh -c 'ls -d /proc/[0-9]* | wc -l | grep -c '^[2-9]$'; test -d /proc/$$ || echo gone'; share net; run ls /sys; unshare net; run ls /sys/class/net"
is "/proc and /sys follow the namespaces" "$(echo "$out" | tr '\n' ' ')" "host 1 gone lo "
run -c "$jar; root busybox; run sh -c 'umount /proc; mount -t tmpfs n /dev; mount -t tmpfs n /'; run sh -c true; root $tmp/dir; run cat /etc/mine"
is "whatever was done inside, a new root is one" "$(echo "$out" | tail -1)" mine
# What belljar itself keeps on the host is not to be seen inside.
run -s bj-seen -c "$jar; root host; run ls /run/belljar"
has "root host: other sandboxes' run directories are hidden" "$err" "*/run/belljar*No such file*"
run -s bj-seen -c "changes; root host ro; run sh -c 'ls /run/belljar; ls -d /run'"
has "... and nothing is written for it; read-only too" "$out:$err" "CHANGE*PATH
/run:*/run/belljar*No such file*"
is "... and they are there" "$(ls -d /run/belljar/bj-seen)" /run/belljar/bj-seen
"$BELLJAR" -s bj-seen -c end >/dev/null 2>&1 </dev/null
exit $((failed > 0))
