/*
 * unified.c: runs a command in a mount namespace in which /sys/fs/cgroup is the version 2 tree alone. crun refuses a host
 * that has both versions; a shell for this would cost more than what is measured.
 *
 *	unified PROGRAM ARG...
 */
#define _GNU_SOURCE
#include "floor.h"

#include <sched.h>
#include <sys/mount.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL));
	must(execvp(argv[1], argv + 1));
	return 1;
}
