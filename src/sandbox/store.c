/*
 * store.c - the session's directory: what must survive belljar
 *
 * Order of things, so that a kill at any moment leaves nothing: the keeper runs before the directory exists (it looks for it only at the
 * end), the directory is locked until its ledger has a first line, a line is in the ledger before its object exists.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/holder.h"
#include "kern/ledger.h"
#include "kern/rootless.h"
#include "sandbox/session.h"
#include "sandbox/store.h"

enum { ATTEMPTS = 5, PATIENCE_MS = 50, LEDGER_LIMIT = 4 << 20 };

char *store_run_path(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (rootless_uid() == 0)
		return xstrdup("/run/belljar");
	if (runtime && runtime[0] == '/' && access(runtime, W_OK | X_OK) == 0)
		return xasprintf("%s/belljar", runtime);
	return xasprintf("/tmp/belljar-%u", (unsigned)rootless_uid());
}

/* Is PATH a directory of ours alone? */
static int check_own(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: can't be opened as a directory", path);
	if (st.st_uid != geteuid() || st.st_mode & 077) {
		err_set(err, EPERM, "%s: not a directory of yours alone", path);
		err_why(err, "it belongs to user %u and has mode %04o; belljar keeps there what it must remove again, so nobody else may "
			"write to it", (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
		return err_try(err, "!chmod 700 %s", path);
	}
	return 0;
}

char *store_run_dir(struct err *err)
{
	_cleanup_free_ char *path = store_run_path();

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s: can't be made", path), NULL;
	return check_own(path, err) < 0 ? NULL : move_str(&path);
}

static int start_keeper(struct store *st, struct err *err)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set(err, errno, "no socket for the session's keeper");
	_cleanup_close_ int theirs = sv[1];
	st->keeper = sv[0];
	if (holder_start_keeper(theirs, st->dir, &st->keeper_pid, err) < 0)
		return -1;
	return 0;
}

/* End the keeper, which has nothing left to do. */
static void end_keeper(struct store *st)
{
	/* It ends by either; the second is quicker. */
	close_fd(&st->keeper);
	if (st->keeper_pid > 0) {
		kill(st->keeper_pid, SIGKILL);
		/* While it dies: this takes the ledger off the disk. */
		close_fd(&st->ledger);
		while (waitpid(st->keeper_pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

static void store_free(struct store *st)
{
	close_fd(&st->ledger);
	close_fd(&st->keeper);
	close_fd(&st->lock);
	free(st->dir);
	free(st->id);
	free(st);
}

/* The directory of the session with a ledger that has its first line. -1 with errno ENOENT when somebody swept it away meanwhile. */
static int make_ledger(struct store *st, const char *header, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger", st->dir), *line = xasprintf("%s\n", header);

	if (mkdir(st->dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s: can't be made", st->dir);
	_cleanup_close_ int lock = ledger_lock(st->dir, true);
	if (lock < 0)
		return err_set(err, errno, "%s: can't be locked", st->dir);
	/* Our own number and start time: a ledger that is there already is from before the machine was started anew. */
	st->ledger = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (st->ledger < 0 && errno == EEXIST) {
		ledger_clear(lock, st->dir, NULL);
		return err_set(err, ENOENT, "%s: the ledger of a dead session is in the way", st->dir);
	}
	if (st->ledger < 0)
		return err_set(err, errno, "%s: can't be made", path);
	if (io_write(st->ledger, line, strlen(line)) < 0) {
		err_set(err, errno, "%s: can't be written", path);
		ledger_clear(lock, st->dir, NULL);
		close_fd(&st->ledger);
		return -1;
	}
	return 0;
}

/* The directory, and the run directory above it; another belljar that ends may take that away again at any moment. */
static int make_directories(struct store *st, struct err *err)
{
	char header[256];
	struct err failed = { 0 };

	if (ledger_header(getpid(), header, sizeof header, err) < 0)
		return -1;
	for (int i = 0; i < ATTEMPTS; i++) {
		_cleanup_free_ char *run = store_run_dir(err);
		if (!run)
			return -1;
		err_clear(&failed);
		if (make_ledger(st, header, &failed) == 0)
			return 0;
		if (failed.number != ENOENT)
			break;
	}
	if (err)
		*err = failed;
	return -1;
}

int store_need(struct session *s, struct err *err)
{
	if (s->store || s->gate.dry)
		return 0;
	store_sweep(NULL);
	unsigned long long start_time = ledger_start_time(getpid());
	if (!start_time)
		return err_set(err, errno, "/proc does not say when this process began");
	_cleanup_free_ char *run = store_run_path();
	struct store *st = xcalloc(1, sizeof *st);
	st->ledger = st->keeper = st->lock = -1;
	st->id = xasprintf("%d.%llu", (int)getpid(), start_time);
	st->dir = xasprintf("%s/%s", run, st->id);
	if (start_keeper(st, err) == 0 && make_directories(st, err) == 0) {
		s->store = st;
		return 0;
	}
	/* The keeper, if there is one, takes away what was made so far. */
	store_free(st);
	return -1;
}

int store_note(struct session *s, const char *lines, struct err *err)
{
	if (s->gate.dry)
		return 0;
	if (!s->store)
		return err_set(err, 0, "the session has no ledger");
	struct stat st;
	size_t len = strlen(lines);
	if (fstat(s->store->ledger, &st) < 0)
		return err_set(err, errno, "%s/ledger: can't be written", s->store->dir);
	/* One write: a line that was cut off by a kill has no end, and is not believed. */
	ssize_t n = write(s->store->ledger, lines, len);
	if (n >= 0 && (size_t)n == len)
		return 0;
	int number = n < 0 ? errno : ENOSPC;
	/* So that a later line does not continue the half one. */
	if (n > 0 && ftruncate(s->store->ledger, st.st_size) < 0)
		number = errno;
	return err_set(err, number, "%s/ledger: can't be written", s->store->dir);
}

int store_forget(struct session *s, const char *line, struct err *err)
{
	_cleanup_free_ char *text = xasprintf("- %s\n", line);

	return s->store ? store_note(s, text, err) : 0;
}

bool store_noted(const struct session *s, const char *prefix)
{
	_cleanup_free_ char *path = s->store ? xasprintf("%s/ledger", s->store->dir) : NULL;
	_cleanup_buf_ struct buf text = { 0 };

	if (!path || io_slurp(AT_FDCWD, path, LEDGER_LIMIT, &text) < 0)
		return false;
	for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (starts_with(at, prefix))
			return true;
	return false;
}

int store_clear(struct session *s, struct err *err)
{
	struct store *st = s->store;

	if (!st)
		return 0;
	s->store = NULL;
	int failed = ledger_take_down(move_fd(&st->lock), st->dir, -1, PATIENCE_MS, err);
	/* What we could not do, the keeper may: it begins when our end of the socket is closed. */
	if (failed == 0)
		end_keeper(st);
	store_free(st);
	return failed;
}

int store_leave(struct session *s, struct err *err)
{
	if (!s->store || !s->store->named)
		return store_clear(s, err);
	store_free(s->store);
	s->store = NULL;
	return 0;
}

/* Clear one directory of the run directory if its session is dead. Returns whether it is dead and could not be cleared. */
static bool sweep_one(const char *path)
{
	struct stat st;
	_cleanup_close_ int dir = ledger_lock(path, false);

	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || ledger_alive(dir))
		return false;
	return ledger_clear(dir, path, NULL) < 0;
}

int store_sweep(struct err *err)
{
	_cleanup_free_ char *run = store_run_path();
	int failed = 0;

	if (access(run, F_OK) < 0)
		return 0;
	if (check_own(run, err) < 0)
		return -1;
	DIR *list = opendir(run);
	if (!list)
		return err_set(err, errno, "%s: can't be read", run);
	struct dirent *e;
	while ((e = readdir(list))) {
		if (e->d_name[0] == '.' || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
			continue;
		_cleanup_free_ char *path = xasprintf("%s/%s", run, e->d_name);
		failed += sweep_one(path);
	}
	closedir(list);
	return failed;
}
