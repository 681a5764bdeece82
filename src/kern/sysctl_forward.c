/*
 * sysctl_forward.c - forwarding on the host, for as long as a session needs it
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kern/ledger.h"
#include "kern/sysctl.h"

enum { LEDGER_LIMIT = 4 << 20 };

static unsigned long own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (unsigned long)st.st_ino;
}

void sysctl_forward_line(char *line, size_t room, const char *path)
{
	snprintf(line, room, "forward %lu %s", own_netns(), path);
}

/* Does TEXT hold the LINE, and not "- LINE" later? */
static bool holds(const char *text, const char *line)
{
	size_t n = strlen(line);
	bool held = false;

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		bool back = strncmp(at, "- ", 2) == 0;
		const char *it = back ? at + 2 : at;
		if (strncmp(it, line, n) == 0 && it[n] == '\n')
			held = !back;
	}
	return held;
}

static bool ledger_holds(int dir, const char *line)
{
	int fd = openat(dir, "ledger", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool held = false;

	if (fd < 0)
		return false;
	char *text = fstat(fd, &st) == 0 && st.st_size < LEDGER_LIMIT ? malloc((size_t)st.st_size + 1) : NULL;
	ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
	if (n >= 0) {
		text[n] = '\0';
		held = holds(text, line);
	}
	free(text);
	close(fd);
	return held;
}

bool sysctl_forward_wanted(const char *dir, const char *line)
{
	const char *slash = strrchr(dir, '/');
	char *parent = slash ? strndup(dir, (size_t)(slash - dir)) : NULL;
	DIR *d = parent ? opendir(parent) : NULL;
	struct dirent *e;
	bool wanted = false;

	free(parent);
	while (d && !wanted && (e = readdir(d))) {
		if (e->d_name[0] == '.' || strcmp(e->d_name, slash + 1) == 0)
			continue;
		int other = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		wanted = other >= 0 && ledger_alive(other) && ledger_holds(other, line);
		if (other >= 0)
			close(other);
	}
	if (d)
		closedir(d);
	return wanted;
}

int sysctl_forward_off(const char *dir, const char *line)
{
	char path[160], name[96];
	unsigned long netns;

	if (sscanf(line, "forward %lu %95s", &netns, name) != 2 || strstr(name, ".."))
		return EINVAL;
	/* Of a namespace that is not ours nothing can be said; it is mostly gone. */
	if (netns != own_netns() || sysctl_forward_wanted(dir, line))
		return 0;
	snprintf(path, sizeof path, "/proc/sys/net/%s", name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	int number = write(fd, "0", 1) == 1 ? 0 : errno;
	close(fd);
	return number;
}
