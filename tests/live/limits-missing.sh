#!/bin/sh
# What belljar says where limits can't be had: read-only control groups, a container's own subtree with processes in it, a level that does not
# give a controller on, limits below what is used, groups that somebody else removed. Each tried in a mount namespace of its own. Needs root.
. "$(dirname "$0")/front.inc"
. "$(dirname "$0")/limits.inc"

# Elsewhere all is as it was.
run_in() # COMMAND-BEFORE BELLJAR-ARGS...
{
	before=$1
	shift
	out=$(unshare -m --propagation private sh -c "$before && exec \"\$@\"" sh "$BELLJAR" "$@" 2>"$tmp/err" </dev/null)
	status=$?
	err=$(cat "$tmp/err")
}
readonly='for m in $(awk '"'"'/ - cgroup2? / { print $5 }'"'"' /proc/self/mountinfo); do mount -o remount,bind,ro $m || exit; done'
run_in "$readonly" -c 'new web; limit memory 64M'
has "read-only control groups" "$status:$err" "1:*may not be written to*"
run_in "$readonly" -c 'new web; run echo works'
is "programs run without them" "$status:$out" "0:works"

session -k
type 'new web' 'unshare pid' 'limit pids 9 memory 90M' "run -d sh -c 'head -c 30000000 /dev/zero | tail -c 30000000 >/dev/null; exec sleep 60'"
done_so_far
for dir in $(groups "$belljar"); do
	[ ! -e "$dir/web/cgroup.procs" ] || rmdir "$dir/web" 2>/dev/null
done
is "a group with programs in it can't be taken away" "$(control pids.max)" 9
type 'kill all'
done_so_far
for dir in $(groups "$belljar"); do rmdir "$dir/web"; done
type 'run true' 'limit pids 8' 'run echo anew' 'rm web'
done_so_far
has "a group that somebody else removed" "$(cat "$tmp/out")" "*can't be entered*somebody else removed*anew*"
exec 9>&-
wait "$belljar"

# Controllers that only version 1 has, and that hardly anybody mounts.
for file in net_cls.classid net_prio.ifpriomap; do
	grep -q " - cgroup .*${file%.*}" /proc/self/mountinfo && continue
	run -c "new web; limit $file 1"
	has "${file%.*} that is not mounted is refused by name" "$status:$err" "1:*$file can't be limited here*no hierarchy with it*limit net tx*"
done
mkdir "$tmp/marks"
netcls="mount -t cgroup -o net_cls,net_prio marks $tmp/marks"
if unshare -m --propagation private sh -c "$netcls" 2>/dev/null; then
	run_in "$netcls" -c "new web; limit net_cls.classid 0x10001; limit net_prio.ifpriomap lo 5; run cat /proc/self/cgroup
		!cat $tmp/marks/*/web/net_cls.classid; grep lo $tmp/marks/*/web/net_prio.ifpriomap
		undo; undo; !cat $tmp/marks/*/web/net_cls.classid; grep lo $tmp/marks/*/web/net_prio.ifpriomap"
	has "mounted they mark the group's traffic, until undo" "$status:$out" "0:*net_prio:/*/web*
65537
lo 5*
0
lo 0"
	# The kernel keeps a hierarchy that was unmounted while a group in it was still being taken down, until the next one to unmount it.
	released() { ! grep -q net_cls /proc/self/cgroup || { unshare -m --propagation private sh -c "$netcls"; false; }; }
	within 50 released
fi

# More is in use than the new limit allows: version 1 refuses, version 2 takes the memory back or kills.
session -k
type 'new web' 'limit memory 90M' "run -d sh -c '{ head -c 50000000 /dev/zero; echo >$tmp/full; sleep 60; } | tail -c 50000000 >/dev/null'"
within 300 [ -e "$tmp/full" ]
type 'limit memory 10M' 'limit' 'kill all'
done_so_far
out=$(cat "$tmp/out")
exec 9>&-
wait "$belljar"
if v1_controller memory; then
	has "a limit below what is used is refused" "$out" "*more is in use*"
	has "and the old one stays" "$out" "*memory  90M*"
else
	has "a limit below what is used is set, and that is said" "$out" "*more memory was in use than is allowed now*memory  10M*"
fi

if [ -n "$(awk '/ - cgroup / { print $5 }' /proc/self/mountinfo)" ]; then
	exit $((failed > 0))
fi

# Version 2: a container that has only its own subtree.
top=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)$(sed -n 's/^0:://p' /proc/self/cgroup)
box=${top%/}/bjbox$$
trap 'rmdir "$box"/init "$box" 2>/dev/null; rm -rf "$tmp"' EXIT
mkdir "$box"
grep -qw pids "$box/cgroup.controllers" || echo +pids >"${top%/}/cgroup.subtree_control" 2>/dev/null
grep -qw pids "$box/cgroup.controllers" || { echo "ok - no more: there is no controller for a container here"; exit $((failed > 0)); }
contain="echo \$\$ >$box/cgroup.procs && exec unshare -C sh -c 'mount -t tmpfs t /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"\$@\"' sh"
contained() # BELLJAR-ARGS...
{
	out=$(unshare -m --propagation private sh -c "$contain \"\$@\"" sh "$BELLJAR" "$@" 2>"$tmp/err" </dev/null)
	status=$?
	err=$(cat "$tmp/err")
}
contained -c 'new web; limit pids 5'
has "its root holds processes" "$status:$err" "1:*pids can't be limited here*holds processes itself*try: mkdir /sys/fs/cgroup/init*"
contain="mkdir -p $box/init; echo \$\$ >$box/cgroup.procs && exec unshare -C sh -c 'mount -t tmpfs t /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && echo \$\$ >/sys/fs/cgroup/init/cgroup.procs && exec \"\$@\"' sh"
contained -c 'new web; limit pids 5; limit'
has "as it is told to do" "$status:$out" "0:*pids    5 */sys/fs/cgroup/belljar.*"
is "nothing is left in it" "$(ls -d "$box"/belljar.* 2>/dev/null)" ""
for name in memory io cpu hugetlb; do
	grep -qw $name "$box/cgroup.controllers" || missing=$name
done
case ${missing-} in
memory) limit='memory 5M' ;;
io) limit='io / rbps=1M' ;;
cpu) limit='cpu 5%' ;;
hugetlb) limit='hugetlb 2M 5M' ;;
*) limit= ;;
esac
if [ -n "$limit" ]; then
	# Else the box takes no process anymore.
	echo -pids >"$box/cgroup.subtree_control"
	contained -c "new web; limit $limit"
	has "a controller that the level above keeps" "$status:$err" "1:*can't be limited here*/sys/fs/cgroup/cgroup.controllers does not have $missing*level above keeps it*"
fi
exit $((failed > 0))
