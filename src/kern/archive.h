/*
 * archive.h - unpacking an archive beneath a directory, and packing a layer into one
 *
 * This is the interface of a module (archive.so) that is loaded when an archive is unpacked: libarchive and what it needs take longer to load
 * than most scripts run.
 */
#ifndef KERN_ARCHIVE_H
#define KERN_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum { ARCHIVE_DIGEST = 65 };          /* SHA-256 in hexadecimal digits, with its end */

struct archive_report {
	uint64_t entries;      /* made */
	uint64_t bytes;        /* that they hold */
	uint64_t devices;      /* device nodes, fifos and sockets: left out */
	uint64_t owners;       /* entries whose owner could not be set (without root) */
	char digest[ARCHIVE_DIGEST];   /* of the archive as it is */
};

/* What is wanted of it. */
struct archive_how {
	const char *name;      /* of the archive, for errors */
	uint64_t most;         /* bytes that may be unpacked; each entry counts for some more than it holds */
	bool devices;          /* make device nodes too */
	bool user_marks;       /* mark opaque directories with user.overlay.*, not trusted.overlay.* */
	/* The number here of the user (or group) that the archive calls ID; false when there is none, then the entry stays belljar's. */
	bool (*outside)(const void *arg, bool group, int64_t id, uint32_t *number);
	const void *arg;
};

/* Unpack the tar archive open at FD (plain, gzip, bzip2, xz or zstd) as a layer of an overlay beneath the directory ROOT: `.wh.NAME` becomes the
 * kernel's mark that NAME is deleted, `.wh..wh..opq` that the directory hides what is below. libarchive only reads; every name is resolved
 * beneath ROOT here, and nothing is written through a symbolic link of the archive's. ".." in a name, and links to outside, are refused
 * by name. On failure what was unpacked stays (the caller drops the whole tree). 0, or -1 with err. */
typedef int archive_unpack_function(int fd, const struct archive_how *how, int root, struct archive_report *report, struct err *err);
archive_unpack_function archive_unpack;

/* What is to be packed, and how. */
struct archive_wish {
	const char *name;      /* of the archive, for errors; .gz, .tgz, .xz, .zst at its end: compressed so */
	bool user_marks;
	/* The number that the archive calls the user (or group) by that is ID here. */
	uint32_t (*inside)(const void *arg, bool group, uint32_t id);
	const void *arg;
};

/* Write the upper layer of an overlay in the directory "upper" of TOP, or those in NAME/upper of the directories of the root, as a tar archive to FD: what archive_unpack takes back. Sockets are left out; what an
 * archive can't say (a renamed directory, whose contents are in another layer) is refused by name. 0, or -1 with err. */
int archive_pack(int top, const struct archive_wish *wish, int fd, struct archive_report *report, struct err *err);
typedef int archive_pack_function(int, const struct archive_wish *, int, struct archive_report *, struct err *);

#endif
