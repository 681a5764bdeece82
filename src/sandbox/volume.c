/*
 * volume.c - directories with names, which outlive sandboxes
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "kern/mnt_changes.h"
#include "kern/rootless.h"
#include "kern/sys.h"
#include "sandbox/mounts.h"
#include "sandbox/root_plan.h"
#include "sandbox/store.h"

static char *volumes_path(void)
{
	const char *said = getenv("BELLJAR_VOLUMES"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (said && said[0] == '/')
		return xstrdup(said);
	if (rootless_uid() == 0)
		return xstrdup("/var/lib/belljar/volumes");
	if (data && data[0] == '/')
		return xasprintf("%s/belljar/volumes", data);
	return home && home[0] == '/' ? xasprintf("%s/.local/share/belljar/volumes", home) : xasprintf("/tmp/belljar-%u.volumes", (unsigned)rootless_uid());
}

/* Programs with the set-user-ID bit may lie in them. */
static int check_own(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be looked at", path);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077))
		return 0;
	err_set(err, EPERM, "%s: not a directory of yours alone", path);
	return err_try(err, "!chmod 700 %s", path);
}

int volume_mount(struct sandbox *sb, const char *name, const char *to, uint64_t attributes, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	char *dir = volumes_path(), *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	file_plan_keep(&p, dir);
	file_plan_keep(&p, path);
	if (name_check("volume", name, err) < 0 || sandbox_need_mnt(sb, "the mount would appear on the host", err) < 0 || check_own(dir, err) < 0)
		return -1;
	bool there = lstat(path, &st) == 0;
	if (there && !S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "%s: it is no directory", path);
	for (int i = 0; !there && i < 2; i++) {
		struct step *s = file_plan_add(&p, STEP_MKDIR, i ? path : dir);
		s->place = &sb->session->host;
		s->num = i ? 0755 : 0700;
	}
	root_plan_bind(&p, path, to, attributes | (sb->place.own[NS_USER] && sb->place.mapped ? MOUNT_ATTR_IDMAP : 0), false);
	return root_plan_run(&p, err);
}

/* Is the volume ROOT the mount M of the sandbox? */
static bool is_mounted(const struct sandbox *sb, const struct mnt_info *m, const char *name, const struct stat *volume)
{
	const char *slash = strrchr(m->root, '/');
	_cleanup_free_ char *path = xasprintf("/proc/%d/root%s", (int)sb->place.pid, m->target);
	struct stat st;

	return slash && streq(slash + 1, name) && stat(path, &st) == 0 && st.st_dev == volume->st_dev && st.st_ino == volume->st_ino;
}

static char *used_by(struct session *s, const char *name, const struct stat *volume)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s->n_sandboxes; i++) {
		struct sandbox *sb = s->sandboxes[i];
		struct mnt_info *mounts = NULL;
		size_t n = 0, k = 0;
		if (!sb->place.own[NS_MNT] || mnt_list(sb->place.pid, &mounts, &n, NULL) < 0)
			continue;
		while (k < n && !is_mounted(sb, &mounts[k], name, volume))
			k++;
		if (k < n)
			buf_fmt(&b, "%s%s", b.len ? " " : "", sb->name);
		mnt_free(mounts, n);
	}
	return buf_take(&b);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->name, ((const struct volume *)b)->name);
}

int volume_list(struct session *s, struct volume **volumes, size_t *n, struct err *err)
{
	_cleanup_free_ char *dir = volumes_path();
	struct mnt_amount a;
	struct dirent *e;
	struct stat st;
	int result = 0;

	*volumes = NULL;
	*n = 0;
	if (check_own(dir, err) < 0)
		return -1;
	DIR *list = opendir(dir);
	if (!list)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be read", dir);
	while (result == 0 && (e = readdir(list))) {
		if (e->d_name[0] == '.' || fstatat(dirfd(list), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			continue;
		struct volume *v = GROW(volumes, n);
		*v = (struct volume){ .name = xstrdup(e->d_name), .path = xasprintf("%s/%s", dir, e->d_name), .used = used_by(s, e->d_name, &st) };
		result = mnt_measure(NULL, v->path, &a, err);
		v->bytes = a.bytes;
		v->files = a.files;
	}
	closedir(list);
	if (*n)
		qsort(*volumes, *n, sizeof **volumes, by_name);
	return result;
}

void volume_free(struct volume *volumes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(volumes[i].name);
		free(volumes[i].path);
		free(volumes[i].used);
	}
	free(volumes);
}

int volume_remove(struct session *s, const char *name, struct err *err)
{
	_cleanup_free_ char *dir = volumes_path(), *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	if (name_check("volume", name, err) < 0 || check_own(dir, err) < 0)
		return -1;
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		err_set(err, ENOENT, "no volume %s", name);
		return err_try(err, "volume ls");
	}
	_cleanup_free_ char *used = used_by(s, name, &st);
	if (*used)
		return err_set(err, EBUSY, "volume %s: it is mounted in %s", name, used);
	if (store_need(s, err) < 0)
		return -1;
	_cleanup_free_ char *gone = xasprintf("%s/.belljar.%s.%s", dir, s->store ? s->store->id : "SESSION", name);
	_cleanup_free_ char *line = xasprintf("tree %s", gone), *lines = xasprintf("%s\n", line);
	struct step step = { .kind = STEP_RMTREE, .place = &s->host, .from = path, .what = gone };
	if (store_note(s, lines, err) < 0 || gate_run(&s->gate, &step, 1, err) < 0)
		return -1;
	return store_forget(s, line, err);
}
