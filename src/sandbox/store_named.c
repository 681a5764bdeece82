/*
 * store_named.c - the directory of a named session
 *
 * In it: ledger (its first line names the keeper as the owner), state, keeper.sock, and the holders' sockets. A session is given its
 * name in an order in which a kill at any moment leaves either an unnamed session, which the keeper clears, or a named one: the keeper
 * learns both names, the ledger gets the keeper as owner, the directory is renamed, and only then the keeper is told to stay.
 * The control group keeps the name it was made with.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/ledger.h"
#include "kern/wire.h"
#include "sandbox/session.h"
#include "sandbox/store.h"

enum { LEDGER_LIMIT = 4 << 20, STATE_LIMIT = 16 << 20, ANSWER_S = 5, PATIENCE_MS = 50 };

static int send_request(int sock, const char *text, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .room = "" };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof control.room;
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	while ((n = sendmsg(sock, &msg, MSG_NOSIGNAL)) < 0 && errno == EINTR)
		;
	return n < 0 ? -1 : 0;
}

static ssize_t receive_answer(int sock, char *text, size_t room, int *fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	ssize_t n;

	*fd = -1;
	while ((n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n;
}

/* Ask the keeper (see holder/keeper.c). 1 = ok, 0 = no, -1 with err. *GOT (may be NULL): a descriptor that came with the answer. */
static int request(struct session *s, const char *text, int fd, int *got, struct err *err)
{
	struct timeval patience = { .tv_sec = ANSWER_S };
	_cleanup_close_ int passed = -1;
	char reply[8];

	if (!s->store || s->store->keeper < 0)
		return err_set(err, 0, "the session has no keeper");
	int sock = s->store->keeper;
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	ssize_t n = send_request(sock, text, fd) < 0 ? -1 : receive_answer(sock, reply, sizeof reply, &passed);
	if (n <= 0)
		return err_set(err, n < 0 ? errno : EPIPE, "the session's keeper does not answer");
	if (got)
		*got = move_fd(&passed);
	return n == 2 && memcmp(reply, "ok", 2) == 0;
}

static int must_do(struct session *s, const char *text, int fd, struct err *err)
{
	int done = request(s, text, fd, NULL, err);

	return done > 0 ? 0 : done < 0 ? -1 : err_set(err, 0, "the session's keeper refused: %.20s", text);
}

/* Sockets are reached through the directory's descriptor: a path of a socket has 107 bytes at most, and names may be long. */
static int with_socket(const char *dir, const char *name, int (*use)(int sock, const struct sockaddr *a, socklen_t n), struct err *err)
{
	_cleanup_close_ int at = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (at < 0 || sock < 0)
		return err_set(err, errno, "%s: no socket", dir);
	int n = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", at, name);
	if (n < 0 || (size_t)n >= sizeof address.sun_path)
		return err_set(err, ENAMETOOLONG, "%s/%s: too long for a socket", dir, name);
	if (use(sock, (const struct sockaddr *)&address, sizeof address) < 0)
		return err_set(err, errno, "%s/%s: no connection", dir, name);
	return move_fd(&sock);
}

static int bind_and_listen(int sock, const struct sockaddr *a, socklen_t n)
{
	unlink(((const struct sockaddr_un *)a)->sun_path);
	return bind(sock, a, n) < 0 || listen(sock, WIRE_BACKLOG) < 0 ? -1 : 0;
}

int store_listen(struct session *s, const char *name, struct err *err)
{
	return with_socket(s->store->dir, name, bind_and_listen, err);
}

int store_connect(struct session *s, const char *name, struct err *err)
{
	return with_socket(s->store->dir, name, connect, err);
}

/* Replace the file NAME of the session's directory as a whole. */
static int replace(const struct store *st, const char *name, const char *text, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", st->dir, name), *new = xasprintf("%s/%s.new", st->dir, name);
	_cleanup_close_ int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || io_write(fd, text, strlen(text)) < 0 || rename(new, path) < 0) {
		int number = errno;
		unlink(new);
		return err_set(err, number, "%s: can't be written", path);
	}
	return 0;
}

static int reopen_ledger(struct store *st, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger", st->dir);

	close_fd(&st->ledger);
	st->ledger = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	return st->ledger < 0 ? err_set(err, errno, "%s: can't be opened", path) : 0;
}

/* The ledger gets process PID as its owner. */
static int change_owner(struct store *st, pid_t pid, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger", st->dir);
	_cleanup_buf_ struct buf old = { 0 }, new = { 0 };
	char header[256];

	if (ledger_header(pid, header, sizeof header, err) < 0)
		return -1;
	if (io_slurp(AT_FDCWD, path, LEDGER_LIMIT, &old) < 0)
		return err_set(err, errno, "%s: can't be read", path);
	const char *rest = strchr(buf_text(&old), '\n');
	buf_fmt(&new, "%s%s", header, rest ? rest : "\n");
	return replace(st, "ledger", buf_text(&new), err) < 0 ? -1 : reopen_ledger(st, err);
}

/* Is there a living session at PATH? A dead one is cleared if CLEAR. */
static bool lives(const char *path, bool clear)
{
	_cleanup_close_ int dir = ledger_lock(path, false);

	if (dir < 0)
		return errno == EWOULDBLOCK;
	if (ledger_alive(dir))
		return true;
	if (!clear)
		return false;
	ledger_clear(dir, path, NULL);
	return access(path, F_OK) == 0;
}

static int is_number(const char *name)
{
	return name[strspn(name, "0123456789.")] == '\0';
}

static int rename_session(struct session *s, const char *name, const char *path, struct err *err)
{
	struct store *st = s->store;
	_cleanup_free_ char *tell = xasprintf("name %s", path), *stay = xasprintf("keep %s", path), *old = xstrdup(st->dir);

	if (must_do(s, tell, -1, err) < 0 || change_owner(st, st->keeper_pid, err) < 0)
		return -1;
	_cleanup_close_ int listening = store_listen(s, "keeper.sock", err);
	if (listening < 0)
		return -1;
	/* It fails where a directory of that name is not empty, so of two belljars one gets the name. */
	if (rename(old, path) < 0)
		return err_set(err, errno == ENOTEMPTY ? EEXIST : errno, "session %s: can't get its name", name);
	free(st->dir);
	st->dir = xstrdup(path);
	if (reopen_ledger(st, err) == 0 && must_do(s, stay, listening, err) == 0)
		return 0;
	if (rename(path, old) == 0) {
		free(st->dir);
		st->dir = move_str(&old);
		reopen_ledger(st, NULL);
	}
	return -1;
}

/* Does the session NAME live? 1 with its path (the caller's to free), 0, or -1 with err. Nothing is made here: a kill would leave it. */
static int find_living(const struct session *s, const char *name, char **path, struct err *err)
{
	_cleanup_free_ char *where = store_run_path();

	if (access(where, F_OK) < 0)
		return 0;
	_cleanup_free_ char *run = store_run_dir(err);
	if (!run)
		return -1;
	*path = xasprintf("%s/%s", run, name);
	return access(*path, F_OK) == 0 && lives(*path, !s->gate.dry);
}

static int is_taken(const char *name, struct err *err)
{
	err_set(err, EEXIST, "there is a session %s already", name);
	return err_try(err, "belljar -s %s, which opens it", name);
}

int store_may_keep(struct session *s, const char *name, struct err *err)
{
	if (s->name)
		return err_set(err, EEXIST, "the session has a name already: %s", s->name);
	if (is_number(name))
		return err_usage(err, "%s can't name a session: it needs a letter", name);
	_cleanup_free_ char *path = NULL;
	int there = find_living(s, name, &path, err);
	return there > 0 ? is_taken(name, err) : there;
}

int store_keep(struct session *s, const char *name, struct err *err)
{
	char *slash = strrchr(s->store->dir, '/');
	_cleanup_free_ char *path = xasprintf("%.*s/%s", (int)(slash - s->store->dir), s->store->dir, name);

	if (access(path, F_OK) == 0 && lives(path, true))
		return is_taken(name, err);
	/* What was made so far has the id in its name: tables of rules, control groups. */
	if (replace(s->store, "id", s->store->id, err) < 0 || rename_session(s, name, path, err) < 0) {
		change_owner(s->store, getpid(), NULL);
		return -1;
	}
	s->store->named = true;
	s->name = xstrdup(name);
	return 0;
}

int store_find_groups(struct session *s, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/ledger", s->store->dir);
	_cleanup_buf_ struct buf text = { 0 };
	char **paths = NULL, *rest, *line;
	size_t n = 0;
	int failed = 0;

	if (s->group)
		return 0;
	if (io_slurp(AT_FDCWD, path, LEDGER_LIMIT, &text) < 0)
		return err_set(err, errno, "%s: can't be read", path);
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n")))
		if (starts_with(line, "cgroup "))
			*GROW(&paths, &n) = line + 7;
	if (n) {
		s->group = xstrdup(strrchr(paths[0], '/') + 1);
		*GROW(&paths, &n) = NULL;
		failed = cg_settle(s->group, paths, err);
	}
	free(paths);
	return failed;
}

static int open_at(struct session *s, const char *name, const char *path, struct err *err)
{
	struct store *st = xcalloc(1, sizeof *st);
	_cleanup_free_ char *id_path = xasprintf("%s/id", path);
	char id[NAME_LONGEST + 1];

	if (io_line(AT_FDCWD, id_path, id, sizeof id) <= 0)
		snprintf(id, sizeof id, "%s", name);
	*st = (struct store){ .id = xstrdup(id), .dir = xstrdup(path), .ledger = -1, .keeper = -1, .lock = -1, .named = true };
	s->store = st;
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	st->owner = dir >= 0 ? ledger_owner(dir) : 0;
	if (reopen_ledger(st, err) < 0 || (st->keeper = store_connect(s, "keeper.sock", err)) < 0 || store_find_groups(s, err) < 0) {
		store_leave(s, NULL);
		return -1;
	}
	s->name = xstrdup(name);
	return 0;
}

int store_open(struct session *s, const char *name, struct err *err)
{
	if (is_number(name))
		return err_usage(err, "%s can't name a session: it needs a letter", name);
	_cleanup_free_ char *path = NULL;
	int there = find_living(s, name, &path, err);
	if (there <= 0)
		return there;
	return open_at(s, name, path, err) < 0 ? -1 : 1;
}

int store_end(struct session *s, struct err *err)
{
	struct store *st = s->store;

	if (!st)
		return 0;
	/* Killed between the two, we leave a keeper without a directory, which goes by itself when our connection ends. */
	if (st->lock < 0 && store_lock(s, err) < 0)
		return -1;
	store_bring_home(s);
	int failed = ledger_take_down(move_fd(&st->lock), st->dir, -1, PATIENCE_MS, err);
	if (failed == 0 && request(s, "end", -1, NULL, NULL) > 0) {
		char byte;
		while (recv(st->keeper, &byte, sizeof byte, 0) > 0)
			;
		if (st->keeper_pid > 0)
			waitpid(st->keeper_pid, NULL, 0);
	}
	store_leave(s, NULL);
	free(s->name);
	s->name = NULL;
	return failed;
}

int store_lock(struct session *s, struct err *err)
{
	struct store *st = s->store;

	if (!st || !st->named || st->lock >= 0)
		return 0;
	st->lock = ledger_lock(st->dir, true);
	if (st->lock >= 0)
		return 0;
	return err_set(err, errno == ENOENT ? ESTALE : errno, "session %s: it was ended by another belljar", s->name);
}

void store_unlock(struct session *s)
{
	if (s->store)
		close_fd(&s->store->lock);
}

int store_write_state(struct session *s, const char *text, struct err *err)
{
	return s->gate.dry ? 0 : replace(s->store, "state", text, err);
}

int store_read_state(struct session *s, struct buf *text, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/state", s->store->dir);

	if (io_slurp(AT_FDCWD, path, STATE_LIMIT, text) < 0 && errno != ENOENT)
		return err_set(err, errno, "%s: can't be read", path);
	return 0;
}

int store_hold(struct session *s, int conn, struct err *err)
{
	return must_do(s, "hold", conn, err);
}

int store_put(struct session *s, const char *name, int fd, struct err *err)
{
	_cleanup_free_ char *text = xasprintf("put %s", name);

	return must_do(s, text, fd, err);
}

void store_drop(struct session *s, const char *name)
{
	_cleanup_free_ char *text = xasprintf("drop %s", name);

	request(s, text, -1, NULL, NULL);
}

void store_bring_home(struct session *s)
{
	request(s, "home", -1, NULL, NULL);
}

int store_get(struct session *s, const char *name, struct err *err)
{
	_cleanup_free_ char *text = xasprintf("get %s", name);
	int fd = -1;

	return request(s, text, -1, &fd, err) > 0 ? fd : -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct store_entry *)a)->name, ((const struct store_entry *)b)->name);
}

int store_list(struct store_entry **entries, size_t *n, struct err *err)
{
	*entries = NULL;
	*n = 0;
	if (store_sweep(err) < 0)
		return -1;
	_cleanup_free_ char *run = store_run_path();
	DIR *list = opendir(run);
	if (!list)
		return errno == ENOENT ? 0 : err_set(err, errno, "%s: can't be read", run);
	struct dirent *e;
	while ((e = readdir(list))) {
		if (e->d_name[0] == '.' || is_number(e->d_name))
			continue;
		_cleanup_free_ char *path = xasprintf("%s/%s", run, e->d_name);
		_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir >= 0 && ledger_alive(dir))
			*GROW(entries, n) = (struct store_entry){ xstrdup(e->d_name), move_str(&path), ledger_owner(dir) };
	}
	closedir(list);
	if (*n)
		qsort(*entries, *n, sizeof **entries, by_name);
	return 0;
}

void store_free_list(struct store_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(entries[i].name);
		free(entries[i].dir);
	}
	free(entries);
}
