#!/bin/sh
# Every kind of namespace, alone and in many orders: what the kernel says from outside and a probe from inside agree.
. "$(dirname "$0")/front.inc"
able
: "${PROBE:?}"

ours() { readlink "/proc/self/ns/$1"; }
# facts COMMANDS: what the probe prints after them
facts() { run -c "new box; $1; run $PROBE facts"; }
fact() { printf '%s\n' "$out" | sed -n "s/^$1=//p"; }

for kind in cgroup ipc mnt net pid time uts; do
	facts "unshare $kind"
	is "$kind: works" "$status" 0
	isnt "$kind: another namespace inside" "$(fact "ns.$kind")" "$(ours "$kind")"
	for other in cgroup ipc mnt net pid time uts; do
		# belljar of an ordinary user has a mount namespace of its own.
		[ "$other" != mnt ] || [ "$(id -u)" = 0 ] || continue
		[ $other = $kind ] || [ "$(fact "ns.$other")" = "$(ours $other)" ] || fail "$kind: $other stays the host's"
	done
done
facts "unshare user; map auto"
isnt "user: another namespace inside" "$(fact ns.user)" "$(ours user)"
is "user: root inside" "$(fact uid)" 0
facts "unshare user"
is "user without a map: nobody" "$(fact uid)" 65534

# Orders the kernel can bear, one command a kind and all in one.
for order in "user mnt pid net uts ipc time cgroup" "mnt net pid user uts" "pid mnt user net" "time pid mnt" "pid time" "cgroup pid user mnt" \
	"net user pid mnt cgroup ipc uts time"; do
	steps=
	for kind in $order; do
		steps="$steps unshare $kind;"
		[ $kind != user ] || steps="$steps map auto;"
	done
	facts "$steps hostname -- 2>/dev/null; echo"
	[ "$status" = 0 ] || facts "$steps echo"
	is "order $order" "$status" 0
	for kind in $order; do
		[ "$(fact "ns.$kind")" != "$(ours $kind)" ] || fail "order $order: $kind is the host's"
	done
done
facts "unshare all; map auto"
is "all: works" "$status" 0
is "all: pid 1 is the parent" "$(fact ppid)" 1
is "all: the file of pid 1 is no file of the host" "$(fact init.exe | sed 's/^-.*/hidden/; s/^.memfd:.*/hidden/')" hidden

# The owner follows the order.
run --json -c "new box; unshare net; unshare user; map auto; unshare uts; show"
owner() { printf '%s\n' "$out" | grep -o "\"kind\":\"$1\"[^}]*" | sed 's/.*"owner"://'; }
isnt "what came before user belongs to belljar's user namespace" "$(owner net)" "$(owner uts)"

# Back, and joined.
run -c "new a; unshare net uts; share net; expect not own net; expect own uts; new b; join uts of a; expect same uts a; @a hostname shared; expect prints shared run uname -n"
is "share and join" "$status" 0
run -c "new a; join net of $$; expect same net host"
if [ "$(id -u)" = 0 ]; then
	is "join the host's own is nothing" "$status" 0
else
	has "the host's own is not an ordinary user's to join" "$status:${err##*\(}" "1:E*"
fi
run -c "new a; unshare user; map auto; unshare net; new b; unshare user; map auto; join net of a"
is "join from inside a user namespace" "$status" 0
for bad in "unshare net; unshare net" "share net" "unshare nett" "join net of nosuch" "join net of 999999" "join net of /etc/passwd" "hostname x" \
	"clock boottime 1d" "map auto" "unshare uts; hostname $(printf %070d 0)" "unshare user; map uid 0 0 1 5 0 1" "unshare user; map uid 0 0 0" \
	"unshare user; map uid 0 4294967290 10" "unshare user; map auto; map auto"; do
	run -c "new a; $bad"
	[ "$status" = 1 ] || [ "$status" = 2 ] || fail "refused: $bad (status $status)"
	[ -n "$err" ] || fail "refused in words: $bad"
done
ok "bad input is refused in words"

# /proc inside is right without being asked for, in both orders.
for order in "pid mnt" "mnt pid" "mnt; unshare pid" "pid; unshare mnt"; do
	run -c "new a; unshare $order; run sh -c 'ls -d /proc/[0-9]* | wc -l'"
	[ "${out:-99}" -le 6 ] || fail "/proc after $order shows $out processes"
done
ok "/proc inside is right"

# The clocks.
facts "unshare time; clock boottime 7d"
run -c "new a; unshare time; clock boottime 7d; run $PROBE clock boottime"
[ "$out" -ge $((7 * 86400)) ] && ok "a week later inside" || fail "boottime inside is $out"
run -c "new a; unshare time; clock boottime 7d; run true; clock boottime 1d; run $PROBE clock boottime"
[ "$out" -lt $((3 * 86400)) ] && ok "shifted again while nothing runs" || fail "boottime inside is $out"
run -c "new a; unshare time; clock boottime 7d; run -d sleep 60; clock boottime 1d"
is "fixed while something runs" "$status" 1

# Undo, and rollback of what fails half-way.
run -c "new a; unshare net; undo; expect not own net; undo; ls"
is "undo" "$status" 0
run -c "new a; unshare user; expect fails map uid 0 0 1 gid 0 0 0; map auto; run $PROBE facts"
is "a map that is refused leaves the sandbox as it was" "$(fact uid)" 0
exit $((failed > 0))
