/*
 * network_lend.c - links of the host that are moved into a sandbox, and home again
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/lent.h"
#include "sandbox/network_lend.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/store.h"

/* ---- files of those that are lent ---- */

static char *path_of(const struct session *s, const char *name)
{
	return xasprintf("%s/" LENT_FILE "%s", s->store->dir, name);
}

/* Call ROW for each link that is lent into the place, until it returns other than 0; that, or 0. */
static int each(struct session *s, const struct place *p, int (*row)(const struct lent_head *h, void *arg), void *arg)
{
	DIR *list = s->store ? opendir(s->store->dir) : NULL;
	struct dirent *e;
	struct stat st;
	int result = 0;

	while (list && result == 0 && (e = readdir(list))) {
		struct lent_head h;
		if (!starts_with(e->d_name, LENT_FILE))
			continue;
		_cleanup_close_ int file = openat(dirfd(list), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (file >= 0 && read(file, &h, sizeof h) == sizeof h && p->own[NS_NET] && fstat(p->ns[NS_NET], &st) == 0 &&
		    h.dev == st.st_dev && h.ino == st.st_ino)
			result = row(&h, arg);
	}
	if (list)
		closedir(list);
	return result;
}

static void forget(struct session *s, const char *name)
{
	_cleanup_free_ char *file = xasprintf(LENT_FILE "%s", name), *netns = xasprintf(LENT_NETNS "%s", name);
	_cleanup_free_ char *line = xasprintf("lent %s", name);

	store_drop(s, file);
	store_drop(s, netns);
	store_forget(s, line, NULL);
}

void network_lent_settle(struct session *s)
{
	for (size_t i = s->n_lent; s->store && i-- > 0;) {
		_cleanup_free_ char *path = path_of(s, s->lent[i]);
		if (access(path, F_OK) == 0)
			continue;
		forget(s, s->lent[i]);
		free(s->lent[i]);
		s->lent[i] = s->lent[--s->n_lent];
	}
}

/* ---- lending ---- */

static int stays(const struct net_link *l, struct err *err)
{
	return err_set(err, EBUSY, "host: %s can't move into a sandbox", l->name);
}

/* What lies over another link, or under it, would be lost with it. */
static int check_neighbours(struct session *s, const struct net_link *l, struct err *err)
{
	_cleanup_free_ struct net_link *links = NULL;
	size_t n = 0;

	if (net_api(err)->links(&s->host, &links, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool over = links[i].peer == l->index && links[i].peer_ns < 0 && !streq(links[i].kind, "veth");
		if (l->master && links[i].index == l->master) {
			stays(l, err);
			return err_why(err, "it is a port of the host's %s", links[i].name);
		}
		if (over || links[i].master == l->index) {
			stays(l, err);
			return err_why(err, "the host's %s lies over it", links[i].name);
		}
	}
	return 0;
}

/* May the host lose it for a while? */
static int check(struct session *s, const struct net_link *l, struct err *err)
{
	_cleanup_free_ struct net_route *routes = NULL;
	size_t n = 0;

	if (l->index == 1 && !l->kind[0]) {
		stays(l, err);
		return err_why(err, "every net namespace has a lo of its own");
	}
	if (check_neighbours(s, l, err) < 0 || net_api(err)->routes(&s->host, &routes, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (streq(routes[i].to, "default") && streq(routes[i].dev, l->name)) {
			stays(l, err);
			return err_why(err, "the host's default route goes over it: the host itself would be cut off");
		}
	return 0;
}

/* The file of what it has now, locked; a descriptor or -1 with err. */
static int save(struct sandbox *sb, const char *name, const char *to, int index, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_free_ char *path = path_of(s, name);
	struct stat st;

	if (net_api(err)->save(&s->host, name, &text, err) < 0)
		return -1;
	struct lent_head *h = (struct lent_head *)(void *)text.data;
	if (fstat(sb->place.ns[NS_NET], &st) < 0)
		return err_set(err, errno, "%s: can't look at its net namespace", sb->name);
	h->there = index;
	snprintf(h->to, sizeof h->to, "%s", to);
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	_cleanup_close_ int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return err_set(err, errno, "%s: can't be made", path);
	if (flock(file, LOCK_EX | LOCK_NB) < 0 || io_write(file, text.data, text.len) < 0) {
		err_set(err, errno, "%s: can't be written", path);
		unlink(path);
		return -1;
	}
	return move_fd(&file);
}

/* What it has is saved, and the keeper ready to bring it home, before it moves. */
static int prepare(struct sandbox *sb, const char *name, const char *to, int index, int *saved, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_free_ char *file_name = xasprintf(LENT_FILE "%s", name), *netns = xasprintf(LENT_NETNS "%s", name);
	_cleanup_free_ char *line = xasprintf("lent %s\n", name), *path = NULL;

	if (s->gate.dry)
		return 0;
	if (store_need(s, err) < 0)
		return -1;
	_cleanup_close_ int file = save(sb, name, to, index, err);
	if (file < 0)
		return -1;
	*GROW(&s->lent, &s->n_lent) = xstrdup(name);
	if (store_note(s, line, err) == 0 && store_put(s, netns, sb->place.ns[NS_NET], err) == 0 && store_put(s, file_name, file, err) == 0) {
		*saved = move_fd(&file);
		return 0;
	}
	path = path_of(s, name);
	unlink(path);
	network_lent_settle(s);
	return -1;
}

int network_lend(struct sandbox *sb, const char *name, const char *to, const char *cidr, struct err *err)
{
	struct session *s = sb->session;
	struct plan p = { .session = s };
	struct net_link link;
	int index = network_choose_index();
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int file = -1;

	if (cidr && network_check_address(cidr, err) < 0)
		return -1;
	int found = network_find(s, &s->host, name, &link, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ENODEV, "host: no link %s", name);
	if (check(s, &link, err) < 0 || prepare(sb, name, to, index, &file, err) < 0)
		return -1;
	struct step *step = plan_add(&p, STEP_LEND, &sb->place, to);
	step->from = name;
	step->fd[0] = file;
	step->num = index;
	plan_up(&p, &sb->place, to, &cidr, cidr ? 1 : 0);
	if (plan_run(&p, err) == 0)
		return 0;
	/* If it had moved, taking back has brought it home. */
	if (s->store && !s->gate.dry && network_find(s, &s->host, name, NULL, NULL) > 0) {
		path = path_of(s, name);
		unlink(path);
		network_lent_settle(s);
	}
	return -1;
}

/* ---- giving back ---- */

struct found {
	int index;             /* the one that is looked for, 0 = all */
	struct lent_head *heads;
	size_t n;
};

static int on_lent(const struct lent_head *h, void *arg)
{
	struct found *f = arg;

	if (f->index && h->there != f->index)
		return 0;
	*GROW(&f->heads, &f->n) = *h;
	return f->index != 0;
}

static void free_found(struct found *f)
{
	free(f->heads);
}

char *network_lent(const struct sandbox *sb, int index)
{
	_cleanup_(free_found) struct found f = { .index = index };

	return index && each(sb->session, &sb->place, on_lent, &f) ? xstrdup(f.heads[0].name) : NULL;
}

int network_give_back(struct sandbox *sb, const char *name, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_(free_found) struct found f = { 0 };
	int result = 0;

	each(s, &sb->place, on_lent, &f);
	for (size_t i = 0; i < f.n; i++) {
		struct step step = { .kind = STEP_RETURN, .place = &sb->place, .to = f.heads[i].to, .from = f.heads[i].name };
		if (name && !streq(name, f.heads[i].name))
			continue;
		_cleanup_free_ char *path = path_of(s, f.heads[i].name);
		_cleanup_close_ int file = step.fd[0] = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (file < 0)
			continue;
		if (gate_run(&s->gate, &step, 1, result < 0 ? NULL : err) < 0)
			result = -1;
	}
	network_lent_settle(s);
	return result;
}

int network_lent_none(struct sandbox *sb, struct err *err)
{
	_cleanup_(free_found) struct found f = { 0 };

	each(sb->session, &sb->place, on_lent, &f);
	if (f.n == 0)
		return 0;
	err_set(err, EBUSY, "%s: the host's %s is in its net namespace", sb->name, f.heads[0].name);
	return err_try(err, "links %s, then unlink it, which brings it home", sb->name);
}
