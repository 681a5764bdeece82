/*
 * mounts.c - mounts of a sandbox that live: their flags, what they hand on, how they stand to one another
 */
#include "config.h"

#include <errno.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/gate.h"
#include "kern/sys.h"
#include "sandbox/look.h"
#include "sandbox/mounts.h"
#include "sandbox/root_plan.h"

int mounts_flags(struct sandbox *sb, const char *to, uint64_t set, uint64_t clear, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };

	if (sandbox_need_mnt(sb, "the host's mount would be changed", err) < 0)
		return -1;
	struct step *s = file_plan_add(&p, STEP_REMOUNT, to);
	s->flags = set;
	s->num = (int64_t)clear;
	return file_plan_run(&p, err);
}

/* The mount at TO that is on top, or NULL. */
static const struct mnt_info *find(const struct mnt_info *mounts, size_t n, const char *to)
{
	for (size_t i = n; i-- > 0;)
		if (streq(mounts[i].target, to))
			return &mounts[i];
	return NULL;
}

static const char *propagation(const struct mnt_info *m)
{
	return strstr(m->propagation, "shared:") ? "shared" : strstr(m->propagation, "master:") ? "slave" :
	       strstr(m->propagation, "unbindable") ? "unbindable" : "private";
}

int mounts_propagate(struct sandbox *sb, const char *to, const char *kind, bool recursive, struct err *err)
{
	static const struct { const char *word; uint64_t flag; } kinds[] = { { "private", MS_PRIVATE }, { "slave", MS_SLAVE },
									      { "shared", MS_SHARED }, { "unbindable", MS_UNBINDABLE } };
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };
	struct mnt_info *mounts;
	size_t n;

	if (sandbox_need_mnt(sb, "the host's mount would be changed", err) < 0 || sandbox_mounts(sb, &mounts, &n, err) < 0)
		return -1;
	const struct mnt_info *m = find(mounts, n, to);
	struct step *s = file_plan_add(&p, STEP_PROPAGATION, to);
	s->from = m ? propagation(m) : "private";
	s->flags = recursive ? MS_REC : 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		s->flags |= streq(kinds[i].word, kind) ? kinds[i].flag : 0;
	mnt_free(mounts, n);
	return file_plan_run(&p, err);
}

int mounts_overlay(struct sandbox *sb, const char *to, const struct root_wish *wish, struct err *err)
{
	_cleanup_file_plan_ struct file_plan p = { .sb = sb, .cache = -1 };

	if (sandbox_need_mnt(sb, "the mount would appear on the host", err) < 0 || root_plan_overlay(&p, to, wish, err) < 0)
		return -1;
	return root_plan_run(&p, err);
}

/* The tree */

/* PATH is DIR or lies in it. */
static bool lies_in(const char *path, const char *dir)
{
	size_t n = streq(dir, "/") ? 0 : strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static const struct mnt_info *by_id(const struct mounts_tree *t, int id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->mounts[i].id == id)
			return &t->mounts[i];
	return NULL;
}

/* Is A, or something it is mounted in, M? */
static bool stands_on(const struct mounts_tree *t, const struct mnt_info *a, const struct mnt_info *m)
{
	for (size_t i = 0; a && i <= t->n; i++) {
		if (a == m)
			return true;
		a = a->parent == a->id ? NULL : by_id(t, a->parent);
	}
	return false;
}

/* What lies over M: a mount on its very place, or on a directory on the way there, that M does not stand on. */
static const struct mnt_info *covering(const struct mounts_tree *t, const struct mnt_info *m)
{
	for (size_t i = t->n; i-- > 0;) {
		const struct mnt_info *c = &t->mounts[i];
		if (c != m && lies_in(m->target, c->target) && !stands_on(t, m, c))
			return c;
	}
	return NULL;
}

/* Which of the host's mounts came along when the namespace was made: the kernel does not tell, but where they are and of what. */
static bool came_along(const struct mnt_info *m, const struct mnt_info *host, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m->device == host[i].device && streq(m->target, host[i].target) && streq(m->root, host[i].root))
			return true;
	return false;
}

static void add_shared(struct buf *b, const char *place, const struct mnt_info *mounts, size_t n, const char *word, const struct mnt_info *but)
{
	for (size_t i = 0; i < n; i++)
		if (&mounts[i] != but && has_word(mounts[i].propagation, word))
			buf_fmt(b, "%s%s:%s", b->len ? " " : "", place, mounts[i].target);
}

/* Tables of others, to look for peers in. */
struct others {
	const char *names[2];
	struct table_of {
		const char *name;
		struct mnt_info *mounts;
		size_t n;
	} *tables;
	size_t n;
};

static void load_others(const struct sandbox *sb, struct others *o)
{
	struct session *s = sb->session;
	struct table_of *host = GROW(&o->tables, &o->n);

	host->name = "host";
	mnt_list(0, &host->mounts, &host->n, NULL);
	for (size_t i = 0; i < s->n_sandboxes; i++) {
		struct sandbox *other = s->sandboxes[i];
		if (other == sb || !other->place.own[NS_MNT])
			continue;
		struct table_of *t = GROW(&o->tables, &o->n);
		t->name = other->name;
		mnt_list(other->place.pid, &t->mounts, &t->n, NULL);
	}
}

static void free_others(struct others *o)
{
	for (size_t i = 0; i < o->n; i++)
		mnt_free(o->tables[i].mounts, o->tables[i].n);
	free(o->tables);
}

/* Who has the group of mounts that the TAG ("shared:", "master:") of M names. */
static char *group_of(const struct sandbox *sb, const struct mounts_tree *t, const struct others *o, const struct mnt_info *m, const char *tag)
{
	struct buf b = { 0 };
	const char *at = strstr(m->propagation, tag);

	if (at) {
		_cleanup_free_ char *word = xasprintf("shared:%ld", strtol(at + strlen(tag), NULL, 10));
		add_shared(&b, sb->name, t->mounts, t->n, word, m);
		for (size_t i = 0; i < o->n; i++)
			add_shared(&b, o->tables[i].name, o->tables[i].mounts, o->tables[i].n, word, NULL);
	}
	return buf_take(&b);
}

static void add_rows(struct mounts_tree *t, const struct mnt_info *parent, int depth, size_t *used)
{
	struct mounts_row *last = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct mnt_info *m = &t->mounts[i];
		if (parent ? m->parent != parent->id || m == parent : by_id(t, m->parent) && m->parent != m->id)
			continue;
		last = &t->rows[(*used)++];
		*last = (struct mounts_row){ .info = m, .depth = depth };
		add_rows(t, m, depth + 1, used);
	}
	if (last)
		last->last = true;
}

int mounts_tree(struct sandbox *sb, struct mounts_tree *t, struct err *err)
{
	struct others o = { 0 };
	size_t used = 0;

	*t = (struct mounts_tree){ 0 };
	if (sandbox_mounts(sb, &t->mounts, &t->n, err) < 0)
		return -1;
	if (!t->n)
		return 0;
	bool foreign = !sb->root && sb->place.own[NS_MNT] && look_owner(sb, NS_MNT) != look_ns(NULL, NS_USER);
	t->rows = xcalloc(t->n, sizeof *t->rows);
	add_rows(t, NULL, 0, &used);
	load_others(sb, &o);
	for (size_t i = 0; i < used; i++) {
		struct mounts_row *r = &t->rows[i];
		r->covered = covering(t, r->info);
		r->locked = foreign && r->depth > 0 && came_along(r->info, o.tables[0].mounts, o.tables[0].n);
		r->peers = group_of(sb, t, &o, r->info, "shared:");
		r->masters = group_of(sb, t, &o, r->info, "master:");
	}
	free_others(&o);
	return 0;
}

void mounts_free_tree(struct mounts_tree *t)
{
	for (size_t i = 0; t->rows && i < t->n; i++) {
		free(t->rows[i].peers);
		free(t->rows[i].masters);
	}
	free(t->rows);
	mnt_free(t->mounts, t->n);
	*t = (struct mounts_tree){ 0 };
}
