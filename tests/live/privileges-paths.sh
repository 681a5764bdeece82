#!/bin/bash
# Paths that programs are limited to (Landlock), labels of security modules, and what can't be set from outside.
. "$(dirname "$0")/front.inc"
: "${PROBE:?}"
able
user=
[ "$(id -u)" = 0 ] || user=user
d=$tmp/files
mkdir -p "$d/ro/below" "$d/rw" "$d/not"
for f in ro ro/below rw not; do echo text >"$d/$f/f"; done
ln -s ro "$d/link"
chmod -R a+rwX "$tmp"
control="cat $d/ro/f $d/not/f; echo x >>$d/ro/f; echo x >$d/rw/g; rm $d/rw/g; mkdir $d/ro/n && rmdir $d/ro/n; echo done"
version=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, 0, 0, 1))')
if [ "$version" -lt 1 ]; then
	run -c "new a; allow-path /usr exec"
	has "a kernel without Landlock" "$status:$err" "1:*no Landlock*"
else
	# The same things are done with and without; only the paths make the difference.
	run -c "new a; run sh -c '$control'"
	is "nothing is refused by owners and modes" "$status:$out:$err" "0:text
text
done:"
	paths="allow-path /usr exec $d/ro ro $d/rw rw"
	run -c "new a; nonewprivs on; $paths; run sh -c '$control'"
	has "what is allowed works" "$out" "text
x
done"
	for what in "cat: $d/not/f" "cannot create $d/ro/f" "cannot create directory ‘$d/ro/n’"; do
		has "refused: $what" "${err//[‘’\']/}" "*${what//[‘’]/}: Permission denied*"
	done
	is "and nothing else" "$(printf '%s\n' "$err" | grep -c denied)" 3
	run -c "new a; nonewprivs on; $paths; run cat $d/ro/below/f; run sh -c 'echo y >>$d/rw/f'; run ls /etc"
	has "below a path too; what is not named is not there" "$status:$out:$err" "2:text:*/etc*Permission denied*"
	run -c "new a; nonewprivs on; allow-path $d/rw rw; run true"
	has "a program needs exec" "$status:$err" "126:*true (EACCES)*paths that allow exec*"
	run -c "new a; nonewprivs on; allow-path /usr exec $d/rw rw; run sh -c 'cp /usr/bin/true $d/rw/t && $d/rw/t'; allow-path $d/rw all; run $d/rw/t; run rm $d/rw/t"
	has "to write is not to run" "$status:$err" "126:*Permission denied*"
	run -k -c "new a; nonewprivs on; allow-path /usr exec $d/rw rw; run cp /usr/bin/true $d/rw/t; allow-path $d/rw all; run $d/rw/t; allow-path; undo; run $d/rw/t; allow-path any; run $d/rw/t; run rm $d/rw/t"
	has "a path said again is another" "$out" "*PATH *ACCESS
*/usr *exec
*$d/rw *all
*took back: *"
	is "undone" "$(printf '%s\n' "$err" | grep -c "can't execute")" 1

	# Truncation came later.
	run -c "new a; nonewprivs on; $paths; allow-path; run sh -c 'perl -e \"truncate(shift, 0) or die\" $d/ro/f'"
	if [ "$version" -ge 3 ]; then
		is "nothing is cut short" "$(head -1 "$d/ro/f")" text
		hasnt "and nothing is said of it" "$out" "*cut files short*"
	else
		has "an older kernel's gap is said" "$out" "*lets programs cut files short*"
		echo text >"$d/ro/f"
	fi

	# Whoever it runs as, and in what namespaces; what is open stays open; no mounts.
	run -c "new a; cap set none; user 0; allow-path /usr exec; run ls /etc"
	has "without capabilities and no_new_privs" "$status:$err" "2:*/etc*Permission denied*"
	run -c "new a; unshare docker $user; ${user:+map auto;} root host; run mount -t tmpfs none /mnt; allow-path /usr exec /proc ro; run mount -t tmpfs none /mnt"
	has "no mounts, with all capabilities" "$status:$err" "[!0]*mount*denied*"
	run -c "new a; nonewprivs on; allow-path /usr exec; run sh -c 'cat; echo to stdout'"
	is "what is open already stays" "$status:$out" "0:to stdout"
	run -c "new a; allow-path /usr exec; can mount"
	has "can knows" "$out" "no*limited to paths*"
	run -c "new a; nonewprivs on; harden; allow-path /usr exec; new b like a; run ls /etc"
	has "in a hardened sandbox, copied" "$status:$err" "2:*/etc*Permission denied*"

	# What can't be.
	run -c "new a; allow-path $d/link ro; run true"
	has "a link" "$status:$err" "125:*$d/link*symbolic link*"
	run -c "new a; allow-path /no/such ro; run true"
	has "what is not there" "$status:$err" "125:*/no/such*no such file*"
	for bad in "/usr" "/usr wx" "usr ro" "/usr ro /etc" "any /usr ro" "/usr/../etc ro" "'/a
b' ro"; do
		run -c "new a; allow-path $bad"
		is "refused: $bad" "$status" 2
	done
	run -n -c "new a; explain allow-path /usr exec"
	has "told" "$out" "*allowed paths: /usr exec*landlock_restrict_self()*"
	export XDG_RUNTIME_DIR=$tmp
	"$BELLJAR" -c "keep paths-test; new a; nonewprivs on; allow-path /usr exec" </dev/null
	run -s paths-test -c "run ls /etc"
	has "kept in a named session" "$status:$err" "2:*Permission denied*"
	run -s paths-test -c end
fi

# Labels.
if [ -e /proc/self/attr/apparmor/exec ] && [ "$(id -u)" = 0 ] && command -v apparmor_parser >/dev/null; then
	parser() { unshare -m sh -c 'mount -t securityfs none /sys/kernel/security 2>/dev/null; exec apparmor_parser "$@" "$0"' "$tmp/profile" "$@"; }
	printf 'profile belljar-test flags=(attach_disconnected) {\n\tfile,\n\tcapability,\n\tdeny %s r,\n}\n' "$d/not/f" >"$tmp/profile"
	parser -rK
	run -c "new a; run cat $d/not/f; label apparmor belljar-test; run cat /proc/self/attr/current; run cat $d/not/f"
	has "the profile's word holds" "$status:$out:$err" "1:text
belljar-test (enforce):*$d/not/f: Permission denied*"
	run -c "new a; harden; label apparmor belljar-test; run cat /proc/self/attr/current; label; label inherit; run cat /proc/self/attr/current"
	has "in a hardened sandbox, and not any more" "$out" "*belljar-test (enforce)*apparmor belljar-test*unconfined*"
	run -c "new a; label apparmor no-such-profile; run true"
	has "no such profile" "$status:$err" "125:*attr/exec*knows no such label*"
	parser -R
elif [ ! -e /proc/self/attr/apparmor/exec ]; then
	run -c "new a; label apparmor docker-default"
	has "without AppArmor" "$status:$err" "1:*AppArmor does not run on this machine*"
fi
if [ ! -e /sys/fs/selinux/enforce ]; then
	run -c "new a; label selinux a:b:c"
	has "without SELinux" "$status:$err" "1:*SELinux does not run on this machine*"
fi
run -c "new a; label tomoyo x"
is "another module" "$status" 2

# Dumpable: the kernel's own doing.
run -c "new a; dumpable on; dumpable; dumpable off"
has "dumpable can't be set from outside" "$status:$out:$err" "1:on:*makes every program dumpable*rlimit core 0*"
done_testing
