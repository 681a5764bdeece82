/*
 * step.h - one change to the machine
 *
 * A command never calls the kernel. It makes steps and hands them to the gate (gate.h), which says, plans, fails, performs or
 * takes back each of them. A step is plain data: where (a place), what (a kind) and a few strings and numbers whose meaning the
 * kind gives; the same record is the message to the holder that must perform it.
 *
 * WHO performs a step is a property of its kind (step_table):
 *   host     belljar itself: files below /sys/fs/cgroup and /run, netlink sockets, maps of a user namespace
 *   holder   the sandbox's first process, on itself: unshare, setns, starting programs
 *   joined   a child of belljar for an instant, inside the sandbox's namespaces except user and pid, so with the operator's
 *            privileges: mounts, host name, pivot_root
 *
 * The strings belong to whoever made the step and must live until gate_run returns. Descriptors are borrowed.
 */
#ifndef KERN_STEP_H
#define KERN_STEP_H

#include <stdint.h>

#include "kern/place.h"

struct holder_program;
struct probe;
struct holder_started;

enum step_kind {
	/* The fields each kind uses; those not named are 0.          shell command of the same effect */

	/* processes */
	STEP_HOLDER,       /* start a holder for the place            unshare --fork sleep infinity */
	STEP_END,          /* kill the holder and all that lives in its pid namespace or its tracking group */
	STEP_RESPAWN,      /* a new holder in the same namespaces, but the host's for the kinds in flags (CLONE_NEW*), and for kind num
	                    * (if num >= 0) that of fd[0], or a new one if fd[0] is -1; programs of the old one end */
	STEP_SPAWN,        /* start a program: program, started; text: the command in words */
	STEP_SIGNAL,       /* num: signal, pid in flags as belljar numbers it */

	/* namespaces */
	STEP_UNSHARE,      /* flags: CLONE_NEW* but not pid           unshare(1) */
	STEP_CGROUP_NS,    /* text: control group; a cgroup namespace in which that is the root */
	STEP_PID,          /* new pid namespace, its PID 1 becomes the holder */
	STEP_JOIN,         /* num: ns kind, fd[0]: namespace, from: how the user named it */
	STEP_IDMAP,        /* what: uid_map or gid_map, text: the lines ("0 100000 65536\n"); flags 1: deny setgroups first */
	STEP_ROOT_ID,      /* the holder becomes uid 0 and gid 0 of its user namespace */
	STEP_HOSTNAME,     /* text: the name; its inverse sets the old one */
	STEP_CLOCK,        /* what: monotonic or boottime, num: offset in ns */

	/* mounts; paths in `to` are inside the sandbox and resolved beneath its root */
	STEP_PRIVATE,      /* to: mount point, flags: MS_PRIVATE, MS_SLAVE, MS_SHARED with MS_REC */
	STEP_MOUNT,        /* what: file system type, from: source or NULL, to, text: "key=value,key" or NULL,
	                    * flags: MOUNT_ATTR_*, num: MNT_BECOMES_ROOT or 0. Overlay: see mnt.h */
	STEP_BIND,         /* from: path on the host (num 0; MNT_BECOMES_ROOT) or inside (num 1), to, flags: MOUNT_ATTR_*, fd[0]: 1 = recursive;
	                    * MOUNT_ATTR_IDMAP: with the owners of the place's user namespace, where that can be */
	STEP_MASK,         /* to: hidden, a file by the host's /dev/null, a directory by an empty one; flags 1: nothing happens where it is missing */
	STEP_READONLY,     /* to, with all below it, can't be written to; flags as above */
	STEP_REMOUNT,      /* to, flags: MOUNT_ATTR_* that the mount gets, num: those that it loses */
	STEP_PROPAGATION,  /* to, flags: MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with MS_REC; from: which of these words it was */
	STEP_UMOUNT,       /* to, num: umount2 flags */
	STEP_DEVICES,      /* a tmpfs with the usual nodes, pts, shm and links, at `to` (/dev) */
	STEP_PIVOT,        /* the mount at `to` becomes the root of the mount namespace; the old root is gone */
	STEP_CHROOT,       /* the holder is locked into the directory `to`, which its programs take for the root; the mounts stay as they are */
	STEP_MKDIR,        /* to and the directories above it, num: mode, with S_IFREG for an empty file; nothing happens where it exists
	                    * (then its inverse does nothing) */
	STEP_UPPER,        /* to: a directory of the host's, in which `upper` and `work` are made unless they are there; the first like
	                    * from, or NULL for root's */
	STEP_NO_UPPER,     /* to, text: `old` of the step that made it */
	STEP_UNPACK,       /* from: an archive, to: where it will be found in the cache (mnt_cache.h), what: where it is put together, num: bytes
	                    * at most, flags 1: with device nodes, text: its digest, or NULL */
	STEP_COMMIT,       /* the upper layer of the place's root becomes to: an archive, or a directory (flags 1) with the kernel's own marks;
	                    * what: a name beside it that it has until it is whole; old: the archive's digest, old_num: its bytes */
	STEP_ASIDE,        /* from: a file or directory of the host's gets the name to, beside it; nothing happens where it is not there */
	STEP_DISK,         /* num: bytes that the upper layer of the place's root, in memory, may hold; old_num: until now */
	STEP_PROJECT,      /* to: a directory of the host's with an upper layer, from: the number of the project (project.h) that it is or becomes,
	                    * num: bytes that it may hold; old_num: until now, 0 = it was none */
	STEP_NO_PROJECT,   /* to, from: it is no project any more; old_num: bytes until now */
	STEP_RMTREE,       /* from: a file or directory of the host's with all in it; what: a name beside it that it gets first, so that
	                    * half of it is never taken for the whole */
	STEP_RMDIR,        /* to: an empty directory; text: `old` of the step that made it, then only what that made, and only if empty */

	/* privileges */
	STEP_PRIVILEGE,    /* num: key (privilege.h), text: the value that programs get from now on, NULL = as the holder has it,
	                    * from: the value until now */

	/* network; the place's net namespace */
	STEP_LAB,          /* a net namespace for the place "lab", loopback up */
	STEP_LOOPBACK,     /* lo up */
	STEP_BRIDGE,       /* to: name, num: its index, or 0 for the kernel's choice */
	STEP_VETH,         /* to: name here, what: peer's name, fd[0]: peer's net namespace (-1 = host's), from: bridge here or NULL,
	                    * text: peer's place for messages; both ends are made in place;
	                    * num and flags: index of this end and of the peer, or 0 for the kernel's choice */
	STEP_UNLINK,       /* to: name of the link to delete (either end of a pair) */
	STEP_UP, STEP_DOWN,/* to: link */
	STEP_ADDR,         /* to: link, text: CIDR, or "CIDR peer ADDRESS" */
	STEP_UNADDR,       /* the same */
	STEP_ROUTE,        /* text: destination CIDR or "default", from: gateway or NULL, to: link or NULL */
	STEP_UNROUTE,      /* the same */
	STEP_VXLAN,        /* to: name here, from: bridge here, num: id, text: the other machine's address or a group's, flags: UDP port,
	                    * what: link that it sends over ("web:eth0"), fd[0]: net namespace of that (-1 = host's), fd[1]: index or 0 */
	STEP_DEVICE,       /* to: name here, what: dummy, macvlan, ipvlan, vlan, tun, tap, from: the link below it ("host:eth0") or NULL,
	                    * fd[0]: net namespace of that (-1 = host's), num: id of a vlan */
	STEP_ALTER,        /* to: link, what: mtu, mac, name; stp, vlans (of a bridge: on, off); vlan (of a port: its number), text: the value */
	STEP_LEND,         /* a link of the host's moves into the place; to: its name here, from: on the host, fd[0]: the file with what it had
	                    * (lent.h), num: its index here */
	STEP_RETURN,       /* the same; it moves back and gets back what it had */
	STEP_SLIRP,        /* a program that speaks for those in the place, over a tap; to: its name; fd[0] and fd[1] become its pidfd and what
	                    * it ends with when closed (slirp.h) */
	STEP_UNSLIRP,      /* the same; it ends */
	STEP_CAPTURE,      /* to: link, from: file on the host, num: packets, flags: ns (each 0 = no matter); see capture.h */
	STEP_PROBE,        /* to: address, num: TCP port or 0, probe: the packet, and what became of it (probe.h) */
	STEP_SHAPE,        /* to: link, text: how, in the words of shape.h; "" = not at all */

	/* packets; see nft.h. what: family of the table, inet or bridge, to: its name */
	STEP_TABLE,        /* a table with its chains                 nft add table */
	STEP_UNTABLE,      /* delete it with all that is in it */
	STEP_RULE,         /* text: chain and rule in the words of nft(8), from: its tag */
	STEP_UNRULE,       /* the same rule, taken out */
	STEP_SYSCTL,       /* to: path below /proc/sys/net, text: value; from: the session's directory, when others may want a switch
	                    * of the host to stay on (ledger_net.h) */

	/* text files of the session (textfile.h); to: path on the host */
	STEP_FILE,         /* text: all of it, what: that in a few words */
	STEP_UNFILE,       /* remove it */
	STEP_LINE,         /* text: a line behind the others */
	STEP_UNLINE,       /* the same line, taken out */

	/* control groups; see cg.h */
	STEP_CGROUP,       /* text: group as in cg.h, to: its directory (to be told), what: NULL, or a controller whose
	                    * hierarchy it is made in; parents are made too   mkdir -p
	                    * flags: CG_INNER */
	STEP_SCOPE,        /* text: a name for a scope of systemd's, from: the processes that go into it ("12 34"), as belljar numbers them */
	STEP_DISSOLVE,     /* text: a group inside a sandbox's, to: its directory (to be told); it is removed, and what was in it goes up */
	STEP_MOVE,         /* text: group that processes go to, to: its directory (to be told), from: the one they are in; num: one process, as
	                    * belljar numbers it, fd[0]: its descriptor; 0: all that are in `from` itself */
	STEP_UNCGROUP,     /* text: group, to: its directory (to be told); kills what is in it and removes it */
	STEP_EMPTY,        /* text: group, to: its directory (to be told); all that runs in it and below ends */
	STEP_DEVICE_RULES, /* text: group, from: rules (cg_device.h) or NULL, what: those until now, to: its directory (to be told) */
	STEP_LIMIT,        /* text: group, what: control file, from: value in its words, to: its path (to be told), flags: CG_RAW */

	STEP_KINDS
};

enum step_who { WHO_HOST, WHO_HOLDER, WHO_JOINED };

struct step {
	enum step_kind kind;
	struct place *place;
	const char *what, *from, *to, *text;
	uint64_t flags;
	int64_t num;
	int fd[2];
	char old[192];         /* filled by the act: what its inverse needs to know ("" = there is nothing to take back) */
	int64_t old_num;
	const struct holder_program *program;   /* STEP_SPAWN: what to start, */
	struct holder_started *started;         /* and where to say what became of it */
	struct probe *probe;   /* STEP_PROBE */
};

struct err;

/* Copy a step with its strings and (duplicated) descriptors, for the journal; and release such a copy. */
void step_copy(struct step *to, const struct step *from);
void step_free(struct step *s);

/* What the place is like after S, as far as belljar remembers it (own[], mapped ...); also called in a dry run. */
void step_applied(const struct step *s);

/* One row for each kind: the single source for explain, dry run, export and undo. In the texts {what} {from} {to} {text} {num}
 * {flags} {place} {pid} stand for the step's fields, and {in:KINDS} for the nsenter that gets there. */
struct step_row {
	const char *name;                       /* "unshare" */
	enum step_who who;
	const char *say;                        /* "give {place} new namespaces: {flags}" */
	const char *calls;                      /* "unshare({flags})" */
	const char *shell;                      /* "unshare ..." or NULL where no command does this */
	uint32_t op;                            /* holder's steps: the act of the message (wire.h) */
	/* Joined steps may have a first half that belljar performs itself, before it joins anything: it makes a detached mount
	 * with the host's paths and puts its descriptor into *fd (closed by the gate). May allocate, may take long. */
	int (*make)(struct step *s, int *fd, struct err *err);
	/* And a second one, for what shows the namespaces of its maker: in the joined child while that is in the sandbox's but for mnt. `needs`
	 * says whether it is wanted (NULL: never). Must not allocate. */
	bool (*needs)(const struct step *s);
	int (*make_joined)(struct step *s, int *fd, struct err *err);
	/* Perform it; 0 or -1 with err filled. On failure nothing of it stays. Must not allocate when it runs joined. */
	int (*act)(struct step *s, int fd, struct err *err);
	/* Make the step that takes DONE back: 1 made, 0 nothing to take back, -1 can't be taken back (the row's `for_good` says why). */
	int (*inverse)(const struct step *done, struct step *inverse);
	const char *for_good;                   /* why there is no inverse: "the old root is gone" */
};
extern const struct step_row step_table[STEP_KINDS];

#endif
