/*
 * mnt_disk.c - how much the upper layer of a root may hold
 *
 * A tmpfs has a size and a number of files, which can be changed as it lives. What is to lie on a disk gets a file system of its own, whose size
 * is the limit: an image in a file without a name, over a loop device that the kernel detaches when the mount goes. So nothing has to be
 * cleared up, whoever is killed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include <linux/loop.h>
#include <linux/magic.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/mnt_cache.h"
#include "kern/mnt_disk.h"
#include "kern/mnt_parts.h"
#include "kern/step.h"
#include "kern/sys.h"

enum { LOOP_ATTEMPTS = 64, IMAGE_FD = 3, BYTES_FOR_A_FILE = 8192 };

int mnt_room(const struct place *p, struct mnt_room *room, struct err *err)
{
	struct statfs fs;

	if (fstatfs(p->upper, &fs) < 0)
		return err_set(err, errno, "%s: its upper layer's room can't be read", p->name);
	*room = (struct mnt_room){ .memory = fs.f_type == TMPFS_MAGIC, .total = (int64_t)fs.f_blocks * fs.f_bsize,
				   .free = (int64_t)fs.f_bavail * fs.f_bsize, .files = (int64_t)fs.f_files, .files_free = (int64_t)fs.f_ffree };
	return 0;
}

static int set_size(const struct step *s, int64_t size, struct err *err)
{
	_cleanup_close_ int fs = sys_fspick(s->place->upper);
	char bytes[32], files[32];

	snprintf(bytes, sizeof bytes, "%" PRId64, size);
	snprintf(files, sizeof files, "%" PRId64, mnt_tmpfs_files(size));
	if (fs >= 0 && sys_fsconfig(fs, SYS_CONFIG_STRING, "size", bytes) == 0 && sys_fsconfig(fs, SYS_CONFIG_STRING, "nr_inodes", files) == 0 &&
	    sys_fsconfig(fs, SYS_CONFIG_RECONFIGURE, NULL, NULL) == 0)
		return 0;
	int number = errno;
	err_set(err, number, "%s: its upper layer can't be made %s bytes large", s->place->name, bytes);
	if (fs >= 0)
		mnt_log(fs, err);
	return number == EINVAL ? err_why(err, "more than that is written there already") : -1;
}

int mnt_disk(struct step *s, int fd, struct err *err)
{
	struct mnt_room room;

	(void)fd;
	if (mnt_room(s->place, &room, err) < 0)
		return -1;
	s->old_num = room.total;
	return set_size(s, s->num, err);
}

/* Images */

/* A file that nobody can find, of SIZE bytes that take no room yet. */
static int make_file(int64_t size, struct err *err)
{
	_cleanup_close_ int cache = cache_lock(false, err);

	if (cache < 0)
		return -1;
	int fd = openat(cache, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Not every file system has such files. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		_cleanup_free_ char *name = xasprintf(".belljar.image.%d", (int)getpid());
		fd = openat(cache, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(cache, name, 0);
	}
	if (fd < 0 || ftruncate(fd, size) < 0) {
		err_set(err, errno, "the image of the upper layer can't be made in belljar's cache");
		close_fd(&fd);
	}
	return fd;
}

/* mke2fs(8) over the file. */
static int format(int image, int64_t size, const struct mnt_owner *o, struct err *err)
{
	char owner[96], files[32], path[] = "/proc/self/fd/3";
	char *argv[] = { "mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-b", "4096", "-N", files, "-E", owner, path, NULL };
	char *envp[] = { "PATH=/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL=C", "MKE2FS_SYNC=0", NULL };
	static const char *const places[] = { "/sbin/mke2fs", "/usr/sbin/mke2fs" };
	posix_spawn_file_actions_t actions;
	int status = 0, number = ENOENT;
	pid_t pid = 0;

	snprintf(owner, sizeof owner, "root_owner=%u:%u,lazy_itable_init=1,nodiscard", o->uid, o->gid);
	snprintf(files, sizeof files, "%" PRId64, size / BYTES_FOR_A_FILE + 16);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, image, IMAGE_FD);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < ARRAY_SIZE(places) && number == ENOENT; i++)
		number = posix_spawn(&pid, places[i], &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	if (number) {
		err_set(err, number, "mke2fs, which makes the image's file system, can't be started");
		return number == ENOENT ? err_try(err, "!apt-get install e2fsprogs") : -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, 0, "mke2fs could make no file system of %" PRId64 " bytes", size);
	return 0;
}

/* A loop device over the file, which is free again when nobody has it open or mounted. */
static int make_loop(int image, char path[32], struct err *err)
{
	_cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = { .fd = (uint32_t)image, .block_size = 4096, .info.lo_flags = LO_FLAGS_AUTOCLEAR };

	if (control < 0)
		return err_set(err, errno, "/dev/loop-control: can't be opened");
	/* Another process may take the number that was free. */
	for (int i = 0; i < LOOP_ATTEMPTS; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			return err_set(err, errno, "there is no free loop device");
		snprintf(path, 32, "/dev/loop%d", number);
		_cleanup_close_ int loop = open(path, O_RDWR | O_CLOEXEC);
		if (loop < 0)
			return err_set(err, errno, "%s: can't be opened", path);
		if (ioctl(loop, LOOP_CONFIGURE, &config) == 0)
			return move_fd(&loop);
		if (errno != EBUSY)
			return err_set(err, errno, "%s: can't be set up", path);
	}
	return err_set(err, EBUSY, "others take every loop device that is free");
}

int mnt_image(int64_t size, const struct mnt_owner *o, struct err *err)
{
	char path[32];

	if (!mnt_privileged()) {
		err_set(err, EPERM, "an image can't be the upper layer");
		err_why(err, "only root may mount a file");
		return err_try(err, "root with size SIZE, in memory");
	}
	_cleanup_close_ int image = make_file(size, err);
	if (image < 0 || format(image, size, o, err) < 0)
		return -1;
	_cleanup_close_ int loop = make_loop(image, path, err);
	/* What is deleted inside is given back to the host. */
	return loop < 0 ? -1 : mnt_filesystem("ext4", path, "discard", 0, err);
}
