#!/bin/bash
# doctor: what it says is what the kernel says, and what it advises helps.
. "$(dirname "$0")/front.inc"
shopt -s extglob
run doctor
is "it looks at everything" "$status:$err" "0:"
for what in kernel cgroup ipc mnt net pid time user uts 'without root' 'user ids' 'group ids' 'control groups' overlay keyrings; do
	has "$what" "
$out" "*
@(ok|less|missing)*$what *"
done
has "the kernel's release" "$out" "*kernel *$(uname -r)*"
bad=$(printf '%s\n' "$out" | grep -cE '^(less|missing) ')
is "each fault has what is lost and a fix" "$(printf '%s\n' "$out" | grep -c '  lost: '):$(printf '%s\n' "$out" | grep -c '  fix:  ')" "$bad:$bad"
run --json doctor
is "as JSON: as many" "$(printf '%s' "$out" | grep -o '"verdict":"\(less\|missing\)"' | wc -l)" "$bad"
has "as JSON" "$out" '\[{"what":"kernel","verdict":"*","seen":"Linux *'

# With a switch in the way. In a user namespace of our own the limits are ours to set.
if unshare -Ur true 2>/dev/null; then
	out=$(unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_uts_namespaces && exec "$0" doctor' "$BELLJAR" 2>&1)
	has "no uts namespaces" "$out" "*missing  uts *user.max_uts_namespaces is 0*fix:  sudo sysctl user.max_uts_namespaces=10000*cost: *"
	out=$(unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_uts_namespaces && "$0" -c "new x; unshare uts"; echo 5 >/proc/sys/user/max_uts_namespaces && "$0" -c "new x; unshare uts pid; run echo mended"' "$BELLJAR" 2>&1)
	has "the kernel agrees, and the advice helps" "$out" "*ENOSPC*mended"
fi
if [ "$(id -u)" != 0 ]; then
	run doctor
	grep -q "^$(id -un 2>/dev/null || id -u):" /etc/subuid 2>/dev/null || has "an ordinary user without subordinate ids" "$out" "*less*user ids*/etc/subuid has no line for *fix:  sudo usermod --add-subuids *"
fi
done_testing
