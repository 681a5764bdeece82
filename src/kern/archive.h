/*
 * archive.h - unpacking an archive beneath a directory
 *
 * This is the interface of a module (archive.so) that is loaded when a root is made from an archive: libarchive and what it needs take longer
 * to load than most scripts run.
 */
#ifndef KERN_ARCHIVE_H
#define KERN_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct archive_report {
	uint64_t entries;      /* made */
	uint64_t devices;      /* device nodes, fifos and sockets: left out */
	uint64_t whiteouts;    /* marks of deleted files (.wh.NAME), which mean nothing outside image layers: left out */
	uint64_t owners;       /* entries whose owner could not be set (without root) */
};

/* The number here of the user (or group) that the archive calls ID; false when there is none, then the entry stays belljar's. */
struct archive_owners {
	bool (*outside)(const void *arg, bool group, int64_t id, uint32_t *number);
	const void *arg;
};

/* Unpack the tar archive open at FD (plain, gzip, bzip2, xz or zstd), called NAME in errors, beneath the directory ROOT. libarchive only reads; every
 * name is resolved beneath ROOT here, and nothing is written through a symbolic link of the archive's. ".." in a name, and links to
 * outside, are refused by name. On failure what was unpacked stays (the caller drops the whole tree). 0, or -1 with err. */
typedef int archive_unpack_function(int fd, const char *name, int root, const struct archive_owners *owners,
				    struct archive_report *report, struct err *err);
archive_unpack_function archive_unpack;

#endif
