/*
 * tree.c - removing a tree of files
 *
 * What is deep inside is moved up first, so that neither descriptors nor the stack grow with the depth of a tree that somebody hostile made.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "kern/tree.h"

/* Root inside may have made a file immutable. */
static void release(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), flags = 0;

	if (fd < 0)
		return;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))) {
		flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
		ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
}

/* Remove what is no full directory. 1: it is one. */
static int remove_one(int dir, const char *name)
{
	for (int i = 0; i < 2; i++) {
		if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
			return 0;
		if ((errno == EISDIR || errno == EPERM) && unlinkat(dir, name, AT_REMOVEDIR) == 0)
			return 0;
		if (errno == ENOTEMPTY || errno == EEXIST)
			return 1;
		if (errno != EPERM && errno != ENOTDIR)
			return -1;
		release(dir, name);
		release(dir, ".");
	}
	return -1;
}

static DIR *open_list(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list && fd >= 0)
		close(fd);
	return list;
}

static bool is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Empty the directory NAME in TOP: full directories in it become TOP's. *N counts the names they get. */
static int empty_into(int top, const char *name, unsigned long *n)
{
	DIR *list = open_list(top, name);
	struct dirent *e;
	int failed = list ? 0 : -1;

	while (failed == 0 && (e = readdir(list))) {
		char moved[48];
		int full = is_entry(e) ? remove_one(dirfd(list), e->d_name) : 0;
		failed = full < 0 ? -1 : 0;
		while (full == 1 && failed == 0) {
			snprintf(moved, sizeof moved, ".belljar.%lu", ++*n);
			full = renameat(dirfd(list), e->d_name, top, moved) == 0 ? 0 : errno == ENOTEMPTY || errno == EEXIST ? 1 : -1;
			failed = full < 0 ? -1 : 0;
		}
	}
	int number = errno;
	if (list)
		closedir(list);
	errno = number;
	return failed;
}

int tree_remove(int dir, const char *name)
{
	unsigned long n = 0;
	int full = remove_one(dir, name);

	while (full == 1) {
		DIR *list = open_list(dir, name);
		struct dirent *e;
		int failed = list ? 0 : -1;
		while (failed == 0 && (e = readdir(list)))
			if (is_entry(e) && (failed = remove_one(dirfd(list), e->d_name)) == 1 &&
			    (failed = empty_into(dirfd(list), e->d_name, &n)) == 0)
				failed = unlinkat(dirfd(list), e->d_name, AT_REMOVEDIR);
		int number = errno;
		if (list)
			closedir(list);
		errno = number;
		if (failed < 0)
			return -1;
		full = remove_one(dir, name);
	}
	return full;
}
