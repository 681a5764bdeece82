/*
 * why.c - the catalogue of causes
 *
 * Rows are tried in order, so a row for one command stands before one for all. What is said here was seen on real kernels.
 */
#include "config.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/why.h"

static const struct why catalogue[] = {
	/* user namespaces and privileges */
	{ "unshare", NULL, EPERM, "a new namespace needs CAP_SYS_ADMIN in the user namespace it will belong to",
	  "unshare user first, or start belljar as root",
	  "Every namespace but a user namespace needs CAP_SYS_ADMIN. Whoever makes a user namespace has all capabilities in it, so an ordinary "
	  "user makes that one first, or in the same command: unshare user net.\n\nSome machines forbid even that to ordinary users: look at "
	  "/proc/sys/kernel/unprivileged_userns_clone, /proc/sys/user/max_user_namespaces, and on Ubuntu at "
	  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns." },
	{ "unshare", NULL, ENOSPC, "a limit on the number of namespaces is reached", "cat /proc/sys/user/max_*_namespaces on the host",
	  "The kernel counts the namespaces of each user in each user namespace, and answers ENOSPC where the count would pass "
	  "/proc/sys/user/max_*_namespaces. It gives the same answer when user or pid namespaces are nested more than 32 deep." },
	{ "unshare", NULL, ENOMEM, "a pid namespace whose first process has ended takes no more processes", "rm the sandbox and make it anew",
	  "The first process of a pid namespace is its PID 1. When it ends, the kernel kills all others, and every later fork in that "
	  "namespace fails with ENOMEM, which has nothing to do with memory. belljar keeps a PID 1 of its own in each sandbox, so this is "
	  "seen only when that one was killed from outside." },
	{ "map", NULL, EPERM, "the kernel refuses the map; a map can also be written only once", "rm the sandbox, new, unshare user, map",
	  "An id map can be written once in the life of a user namespace; every later write fails with EPERM.\n\nThe writer needs CAP_SETUID (or "
	  "CAP_SETGID) in the parent user namespace for all but one line that maps its own id. For the group map without that capability, "
	  "setgroups must be denied before, or the kernel says EPERM here too; belljar does that by itself." },
	{ "map", NULL, EINVAL, "the lines of the map overlap, are empty or leave the range of ids", "help map",
	  "Lines of a map must not overlap, neither inside nor outside; a length of 0 and ids from 4294967295 on are refused; and there can be at "
	  "most 340 lines. All of that is the same EINVAL." },
	{ "clock", NULL, EACCES, "the clock offsets are frozen: a process has entered the time namespace", "share time, unshare time, clock ...",
	  "The offsets of a time namespace can be written only until the first process enters it. Later writes fail with EACCES, although "
	  "nothing about the file's permissions has changed. Set the clock between unshare time and the first program." },
	{ "clock", NULL, ERANGE, "the clock would become negative or leave its range", NULL,
	  "The sum of the host's clock and the offset must be neither negative nor more than about 146 years." },

	/* mounts */
	{ "mount", "proc", EPERM, "proc shows a pid namespace, and the sandbox has none of its own", "unshare pid",
	  "A proc file system belongs to the pid namespace it was mounted in. Without real root the kernel mounts it only when the mounter's user "
	  "namespace owns that pid namespace, and when another proc that hides nothing is already to be seen." },
	{ "mount", "sysfs", EPERM, "sysfs shows a net namespace, and the sandbox has none of its own", "unshare net",
	  "What is below /sys/class/net belongs to a net namespace, so without real root sysfs can be mounted only by the owner of one." },
	{ "mount", NULL, EPERM, "the mount namespace belongs to a user namespace above the sandbox's own", "unshare mnt after unshare user",
	  "Mounting needs CAP_SYS_ADMIN in the user namespace that owns the mount namespace. A mount namespace made before the user namespace, or "
	  "shared with the host, belongs to the one above." },
	{ "root", NULL, EPERM, "the mount namespace belongs to a user namespace above the sandbox's own", "unshare mnt", NULL },
	{ "root", NULL, EBUSY, "the new root must be a mount point of its own, and not the current root", NULL,
	  "pivot_root wants the new root to be a mount point. As real root the kernel answers EBUSY otherwise, without real root EINVAL. The same "
	  "EINVAL comes when the parent mount is shared." },
	{ "root", NULL, EINVAL, "overlay refuses one of its directories, or mounts below the lower one are locked", NULL,
	  "An overlay needs upper and work directory on one file system, neither inside the other, and a lower directory that exists. The "
	  "kernel tells which of these is wrong only in its log (dmesg).\n\nA mount namespace that belongs to a child user namespace has the "
	  "mounts of its parent locked together; an overlay over / made inside it is refused with the same EINVAL." },
	{ "root", NULL, ENOENT, "a directory or file of it is not there", NULL, NULL },
	{ "umount", NULL, EINVAL, "nothing is mounted exactly there, or the mount came from the host and is locked", "mounts",
	  "Mounts that a mount namespace inherited when it was made by a child user namespace are locked: they can't be unmounted one by one, "
	  "because that would show what they cover." },
	{ "umount", NULL, EBUSY, "a file, a working directory or another mount below it is in use", "ps, and umount what is below it first", NULL },
	{ NULL, NULL, EIO, "an overlay without real root needs the option userxattr", NULL,
	  "An overlay marks deleted and replaced directories with extended attributes that only real root may write. Without them, removing a "
	  "directory and making it again fails with EIO. From Linux 6.6 on a tmpfs can hold the user attributes that take their place." },

	/* network */
	{ NULL, "netns is immutable", EINVAL, "this link can't move to another net namespace", NULL,
	  "The loopback link, and some others, belong to their net namespace for good. Every net namespace has a lo of its own." },
	{ NULL, "policy validation", 0, "a name or value is out of the kernel's range; names of links have at most 15 bytes", "a shorter name",
	  "The kernel checks each attribute of a netlink message against its type and length before anything else, and only says that one "
	  "failed. Nearly always it is a link's name of more than 15 bytes." },
	{ NULL, "enslave a bridge", 0, "a bridge can't be a port of another bridge", "link both bridges to a sandbox, or link them by a pair",
	  "A port of a bridge is any link but a bridge. To connect two bridges, make a pair of virtual Ethernet links, one end in each." },
	{ "route", NULL, ENETUNREACH, "the gateway is on no network of this sandbox, or the link to it is down", "addr and up first, then route",
	  "A gateway must be reachable without a gateway: an address of the same network must be on a link that is up. Taking a link down "
	  "removes its routes." },
	{ "route", NULL, EINVAL, "the gateway is not valid for this route", NULL,
	  "The kernel wants the gateway to be on a directly connected network, and not to be an address of this machine itself." },
	{ "route", NULL, EEXIST, "there is such a route already", NULL, NULL },
	{ "addr", NULL, EEXIST, "the link has this address already", NULL, NULL },
	{ "addr", NULL, EADDRNOTAVAIL, "the link has no such address", NULL, NULL },
	{ "link", NULL, EEXIST, "there is a link of that name already in that net namespace", "link A:IF B:IF with other names",
	  "Names of links are unique within one net namespace. Two sandboxes that share a net namespace share the names too." },
	{ "bridge", NULL, EEXIST, "there is a link of that name already", "another name", NULL },
	{ NULL, NULL, ENODEV, "there is no such link in this net namespace", NULL,
	  "A link is seen only in the net namespace it is in. After unshare net or join net a sandbox has other links than before, and a link that "
	  "moved lost its addresses and is down." },

	/* privileges */
	{ NULL, "setresgid", EINVAL, "the sandbox's user namespace has no such id", "show, which tells the ids it has; user with one of them, or inherit",
	  "In a user namespace there are only the ids that its maps name. Another one is EINVAL for setresuid and setresgid, and files of others "
	  "seem to belong to 65534." },
	{ NULL, "setresuid", EINVAL, "the sandbox's user namespace has no such id", "show, which tells the ids it has; user with one of them, or inherit",
	  "In a user namespace there are only the ids that its maps name. Another one is EINVAL for setresuid and setresgid, and files of others "
	  "seem to belong to 65534." },
	{ NULL, "setgroups", EPERM, "groups can't be set where the user namespace was mapped without privileges", "user UID without groups",
	  "A user namespace whose group map was written without CAP_SETGID has setgroups denied for good, because dropping a group could give access "
	  "that the group was to take away (user_namespaces(7))." },
	{ NULL, "setrlimit", EPERM, "raising a hard limit needs CAP_SYS_RESOURCE on the host", "a lower limit",
	  "Every process may lower its limits; raising a hard one needs CAP_SYS_RESOURCE in the first user namespace, which nobody in another "
	  "one has." },

	{ "run", ": seccomp", EACCES, "a filter needs CAP_SYS_ADMIN where it is set, or no new privileges", "nonewprivs on",
	  "A filter could mislead a program that gains privileges later, so the kernel takes one only from a process that has CAP_SYS_ADMIN in its "
	  "user namespace, or can't gain privileges any more." },

	/* control groups */
	{ "limit", "/cgroup", ENOENT, "the controller is not given to this control group", "help limit",
	  "On cgroup version 2 a group has the files of a controller only when cgroup.subtree_control of its parent names it. A controller that "
	  "is mounted as version 1 can't be used there at all." },
	{ "limit", NULL, EBUSY, "a control group with processes can't give controllers to its children", NULL,
	  "Version 2 wants processes in the leaves: a group that has processes itself can't hand controllers down, and one that hands them down "
	  "can't have processes. The kernel says EBUSY in both directions." },
	{ "limit", NULL, EINVAL, "the kernel refuses the value", "help limit", NULL },
	{ "limit", NULL, EACCES, "the value is outside of what the group above allows", NULL,
	  "cpuset version 1 answers EACCES for processors that the parent does not have, and when the parent's own list is empty." },
	{ NULL, "rmdir", EBUSY, "there are still processes in the control group", NULL, NULL },

	/* entering */
	{ "join", NULL, EPERM, "joining needs CAP_SYS_ADMIN in the user namespace that owns the namespace", "sudo belljar",
	  "A process may enter a namespace when it has CAP_SYS_ADMIN in the user namespace that owns it, and for a mount namespace CAP_SYS_CHROOT "
	  "too. It can never enter a user namespace that it is in already." },
	{ "join", NULL, EINVAL, "the namespace is of another kind, or is the user namespace the sandbox is in already", NULL,
	  "A user namespace can't be joined by a process that has several threads, nor by one that is in it." },
	{ "join", NULL, ESRCH, "there is no such process any more", "ps", NULL },
	{ "run", NULL, ENOENT, "there is no such program inside; or its interpreter or its loader is missing inside", "run ls /bin",
	  "The kernel says ENOENT also when the program is there but what it needs to start is not: the interpreter after #!, or the dynamic "
	  "loader (see readelf -l PROGRAM). In a small root only static programs run." },
	{ "run", NULL, EACCES, "it is no program: not executable, a directory, or on a file system mounted noexec", NULL, NULL },
	{ "run", NULL, ENOEXEC, "it is a file of another architecture, or a script without #! in its first line", NULL, NULL },
	{ "run", NULL, ENOMEM, "the sandbox's PID 1 is gone, or its memory limit is reached", "show, usage",
	  "In a pid namespace whose PID 1 has ended, every fork fails with ENOMEM. Otherwise it is what it says." },
	{ "run", NULL, EAGAIN, "the limit on the number of processes is reached", "usage, and limit pids ...",
	  "fork fails with EAGAIN when pids.max of a control group, or RLIMIT_NPROC of the user, is reached." },
	{ "kill", NULL, ESRCH, "there is no such process inside", "ps", NULL },

	/* all commands */
	{ NULL, NULL, EPERM, "it needs privileges that belljar does not have here", "sudo belljar",
	  "EPERM means that a capability is missing in the user namespace that owns the object. Which one depends on the object: CAP_SYS_ADMIN for "
	  "namespaces and mounts, CAP_NET_ADMIN for the network." },
	{ NULL, NULL, EROFS, "that file system is mounted read-only", "mounts", NULL },
	{ NULL, NULL, ENOSPC, "the file system is full; a tmpfs has the size it was given", "mounts", NULL },
	{ NULL, NULL, ENOSYS, "this kernel is too old for it; belljar needs Linux 6.1", "uname -r on the host", NULL },
	{ NULL, NULL, EMFILE, "belljar has as many files open as it may", "ulimit -n before belljar starts",
	  "belljar holds a descriptor of every namespace of every sandbox, about ten for each." },
};

static int fits(const struct why *w, const char *command, const struct err *err)
{
	return (!w->number || w->number == err->number) && (!w->command || (command && streq(w->command, command))) &&
	       (!w->text || strstr(err->text, w->text));
}

const struct why *why_find(const char *command, const struct err *err)
{
	if (err->status == EXIT_USAGE)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(catalogue); i++)
		if (fits(&catalogue[i], command, err))
			return &catalogue[i];
	return NULL;
}

void why_fill(struct err *err, const char *command)
{
	/* What the command itself has said knows more than a table. */
	if (!err || err->why[0] || err->hint[0])
		return;
	const struct why *w = why_find(command, err);
	if (!w)
		return;
	err_why(err, "%s", w->cause);
	if (w->advice)
		err_try(err, "%s", w->advice);
}
