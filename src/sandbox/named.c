/*
 * named.c - sessions that last
 *
 * A new sandbox's holder is in the state before it is set free from belljar's life, so a kill at any moment leaves a session whose state
 * names all there is: a holder that was not yet set free has ended with belljar, and is forgotten when the state is read.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/holder.h"
#include "kern/ledger.h"
#include "kern/mnt.h"
#include "kern/rootless.h"
#include "sandbox/named.h"
#include "sandbox/network_pool.h"
#include "sandbox/store.h"

struct named {
	int depth;             /* commands within commands have the session once */
	bool lab;              /* the keeper has the lab's net namespace */
	struct buf state;      /* as it was read or written last */
};

static char *socket_name(const char *sandbox)
{
	return xasprintf("%s.sock", sandbox);
}

/* From now on the holder of P lasts: it listens, and the keeper is connected. */
static int set_free(struct session *s, struct place *p, struct err *err)
{
	_cleanup_free_ char *name = socket_name(p->name);
	_cleanup_close_ int listening = store_listen(s, name, err);

	if (listening < 0 || holder_keep(p, listening, err) < 0)
		return -1;
	_cleanup_close_ int conn = store_connect(s, name, err);
	if (conn < 0 || store_hold(s, conn, err) < 0)
		return -1;
	p->kept = p->pid;
	return 0;
}

/* ---- the state file: one fact a line, values to the end of the line ---- */

static void put_value(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	buf_fmt(b, "%s ", key);
	for (; *value; value++)
		*value == '\n' || *value == '%' ? buf_fmt(b, "%%%02x", (unsigned char)*value) : buf_char(b, *value);
	buf_char(b, '\n');
}

static void put_sandbox(struct buf *b, const struct sandbox *sb)
{
	const struct place *p = &sb->place;

	put_value(b, "sandbox", sb->name);
	buf_fmt(b, "pid %d %llu\n", (int)p->pid, ledger_start_time(p->pid));
	buf_fmt(b, "flags %d %d %d %d %d %d\n", p->init, p->mapped, p->clock_frozen, sb->own_dev, p->proc, p->sys);
	buf_fmt(b, "own %" PRIu64 "\n", place_flags(p));
	for (int k = 0; k < NS_KINDS; k++)
		if (p->joined[k])
			put_value(b, "joined", ns_table[k].name);
	for (size_t i = 0; i < sb->wish.n; i++)
		put_value(b, "layer", sb->wish.layers[i]);
	put_value(b, "upper", sb->wish.upper);
	if (sb->root)
		buf_fmt(b, "root %d %" PRId64 " %" PRId64 " %d %d %d\n", (int)sb->wish.mode, sb->wish.size, sb->wish.unpack, sb->wish.devices,
			sb->wish.image, sb->wish.chroot);
	put_value(b, "group", sb->group);
	put_value(b, "learned", sb->learned);
	put_value(b, "devices", p->devices);
	for (size_t i = 0; i < sb->n_env; i++)
		put_value(b, "env", sb->env[i]);
	for (int k = 0; k < PRIV_KEYS; k++)
		if (p->privileges[k]) {
			_cleanup_free_ char *line = xasprintf("%d %s", k, p->privileges[k]);
			put_value(b, "privilege", line);
		}
}

static void put_state(struct buf *b, const struct session *s)
{
	buf_str(b, "belljar-state 1\n");
	put_value(b, "current", s->current ? s->current->name : NULL);
	for (size_t i = 0; i < s->n_sandboxes; i++)
		put_sandbox(b, s->sandboxes[i]);
}

static char *get_value(const char *text)
{
	struct buf b = { 0 };
	unsigned byte;

	for (; *text; text++) {
		if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1 && text[1] && text[2]) {
			buf_char(&b, (char)byte);
			text += 2;
		} else {
			buf_char(&b, *text);
		}
	}
	return buf_take(&b);
}

/* Hold the process that the state names: it must still be the same one. */
static bool hold(struct session *s, struct place *p, int pid, unsigned long long start)
{
	_cleanup_free_ char *name = socket_name(p->name);
	struct err none;

	p->pid = pid;
	p->pidfd = holder_hold(pid);
	if (p->pidfd < 0 || !start || ledger_start_time(pid) != start)
		return false;
	int conn = store_connect(s, name, &none);
	if (conn < 0 || holder_take(p, conn, &none) < 0)
		return false;
	p->kept = pid;
	p->alive = true;
	return true;
}

struct reading {
	struct session *s;
	struct sandbox *sb;    /* the one whose lines are read */
	char *current;
	struct root_wish root; /* of that sandbox, as far as it was read */
};

static struct sandbox *take_old(struct sandbox **old, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (old[i] && streq(old[i]->name, name)) {
			struct sandbox *sb = old[i];
			old[i] = NULL;
			return sb;
		}
	return NULL;
}

static void begin_sandbox(struct reading *r, char *name, struct sandbox **old, size_t n_old)
{
	struct sandbox *sb = take_old(old, n_old, name);

	if (sb) {
		sandbox_note_root(sb, NULL);
		free(sb->group);
		for (size_t i = 0; i < sb->n_env; i++)
			free(sb->env[i]);
		free(sb->learned);
		free(sb->place.devices);
		sb->group = sb->learned = sb->place.devices = NULL;
		sb->n_env = 0;
		for (int k = 0; k < PRIV_KEYS; k++)
			privilege_store(&sb->place, (enum privilege)k, NULL);
		memset(sb->place.joined, 0, sizeof sb->place.joined);
		free(name);
	} else {
		sb = xcalloc(1, sizeof *sb);
		sb->name = name;
		sb->session = r->s;
		place_init(&sb->place, sb->name);
	}
	*GROW(&r->s->sandboxes, &r->s->n_sandboxes) = sb;
	r->sb = sb;
}

/* The same holder keeps its connection (a successor took it over); another is called at the socket. */
static void find_holder(struct reading *r, const char *text)
{
	struct place *p = &r->sb->place;
	unsigned long long start = 0;
	int pid = 0;

	if (sscanf(text, "%d %llu", &pid, &start) != 2)
		return;
	if (p->pid == pid && p->sock >= 0)
		return;
	place_release(p);
	hold(r->s, p, pid, start);
}

static void read_privilege(struct place *p, const char *text)
{
	_cleanup_free_ char *value = get_value(text);
	int k = -1, n = 0;

	if (sscanf(value, "%d %n", &k, &n) == 1 && n && k >= 0 && k < PRIV_KEYS)
		privilege_store(p, (enum privilege)k, value + n);
}

/* The root, whose layers came in the lines before. */
static void read_root(struct reading *r, const char *text)
{
	struct root_wish *w = &r->root;
	int mode = 0, devices = 0, image = 0, locked = 0;

	sscanf(text, "%d %" SCNd64 " %" SCNd64 " %d %d %d", &mode, &w->size, &w->unpack, &devices, &image, &locked);
	w->mode = (enum root_mode)mode;
	w->devices = devices;
	w->image = image;
	w->chroot = locked;
	close_fd(&r->sb->place.jail);
	if (w->chroot)
		r->sb->place.jail = mnt_holder_root(&r->sb->place, NULL);
	sandbox_note_root(r->sb, w);
	for (size_t i = 0; i < w->n; i++)
		free(w->layers[i]);
	free(w->layers);
	free(w->upper);
	*w = (struct root_wish){ 0 };
}

static void read_sandbox_line(struct reading *r, const char *key, const char *text)
{
	struct sandbox *sb = r->sb;
	struct place *p = &sb->place;
	int f[6] = { 0 };

	if (streq(key, "pid")) {
		find_holder(r, text);
	} else if (streq(key, "flags") && sscanf(text, "%d %d %d %d %d %d", &f[0], &f[1], &f[2], &f[3], &f[4], &f[5]) == 6) {
		p->init = f[0], p->mapped = f[1], p->clock_frozen = f[2];
		sb->own_dev = f[3], p->proc = (enum place_view)f[4], p->sys = (enum place_view)f[5];
	} else if (streq(key, "own") && p->alive) {
		struct err none;
		uint64_t all = 0;
		for (int k = 0; k < NS_KINDS; k++)
			all |= (uint64_t)ns_table[k].flag;
		place_refresh(p, all, &none);
	} else if (streq(key, "joined") && ns_kind(text) >= 0) {
		p->joined[ns_kind(text)] = true;
	} else if (streq(key, "layer")) {
		*GROW(&r->root.layers, &r->root.n) = get_value(text);
	} else if (streq(key, "upper")) {
		r->root.upper = get_value(text);
	} else if (streq(key, "root")) {
		read_root(r, text);
	} else if (streq(key, "group")) {
		sb->group = get_value(text);
	} else if (streq(key, "learned")) {
		sb->learned = get_value(text);
	} else if (streq(key, "devices")) {
		free(p->devices);
		p->devices = get_value(text);
	} else if (streq(key, "env")) {
		*GROW(&sb->env, &sb->n_env) = get_value(text);
	} else if (streq(key, "privilege")) {
		read_privilege(p, text);
	}
}

static void read_line(struct reading *r, char *line, struct sandbox **old, size_t n_old)
{
	char *text = strchr(line, ' ');

	if (!text)
		return;
	*text++ = '\0';
	if (streq(line, "sandbox"))
		begin_sandbox(r, get_value(text), old, n_old);
	else if (streq(line, "current"))
		free(r->current), r->current = get_value(text);
	else if (r->sb)
		read_sandbox_line(r, line, text);
}

/* Make the session what the state says; sandboxes that are in it already keep their place in memory. */
static void apply_state(struct session *s, char *text)
{
	struct sandbox **old = s->sandboxes;
	size_t n_old = s->n_sandboxes;
	struct reading r = { .s = s };
	/* Which sandbox is the current one is each belljar's own affair; the state's is for one that comes in. */
	_cleanup_free_ char *mine = s->current ? xstrdup(s->current->name) : NULL;
	char *rest = NULL;

	s->sandboxes = NULL;
	s->n_sandboxes = 0;
	s->current = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		read_line(&r, line, old, n_old);
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if ((mine && streq(s->sandboxes[i]->name, mine)) || (!s->current && r.current && streq(s->sandboxes[i]->name, r.current)))
			s->current = s->sandboxes[i];
	for (size_t i = 0; i < n_old; i++)
		if (old[i])
			sandbox_free(old[i]);
	free(old);
	free(r.current);
	/* Those whose holder is gone were killed from outside. */
	session_check(s, NULL, NULL);
}

/* The lab that another belljar made. */
static int find_lab(struct session *s, struct err *err)
{
	if (s->lab.own[NS_NET])
		return 0;
	struct err failed = { 0 };
	int fd = store_get(s, "lab", &failed);
	if (fd < 0 && failed.status) {
		*err = failed;
		return -1;
	}
	if (fd >= 0) {
		s->lab.ns[NS_NET] = fd;
		s->lab.own[NS_NET] = s->named->lab = true;
	}
	return 0;
}

/* The state as another belljar may have left it: 1 when it is another than it was. */
static int read_state(struct session *s, struct err *err)
{
	struct named *n = s->named;
	_cleanup_buf_ struct buf text = { 0 };

	if (store_read_state(s, &text, err) < 0)
		return -1;
	if (text.len == n->state.len && (text.len == 0 || memcmp(text.data, n->state.data, text.len) == 0))
		return 0;
	buf_clear(&n->state);
	buf_str(&n->state, buf_text(&text));
	apply_state(s, text.data);
	return find_lab(s, err) < 0 ? -1 : 1;
}

/* Alone with the session, as it is now: 1 when another belljar has changed it, 0, or -1. */
static int take(struct session *s, struct err *err)
{
	/* Another belljar may have made or removed groups. */
	cg_forget_entries();
	int changed = store_lock(s, err) < 0 ? -1 : read_state(s, err);
	if (changed < 0)
		store_unlock(s);
	return changed;
}

int named_begin(struct session *s, struct err *err)
{
	/* A dry run goes on from the session as it was when it was opened. */
	if (!s->named || s->gate.dry || s->named->depth++ > 0)
		return 0;
	int changed = take(s, err);
	if (changed < 0)
		s->named->depth = 0;
	if (changed > 0)
		gate_forget(&s->gate, 0, s->gate.n_done);
	/* Another belljar may have given addresses, which the state does not tell. */
	pool_forget(s);
	return changed;
}

/* An upper layer that is attached nowhere is to be found by other belljars. */
static int put_upper(struct sandbox *sb, struct err *err)
{
	_cleanup_free_ char *name = xasprintf("upper/%s", sb->name);

	if (sb->place.upper < 0 || sb->upper_kept)
		return 0;
	sb->upper_kept = true;
	return store_put(sb->session, name, sb->place.upper, err);
}

int named_upper(struct sandbox *sb, struct err *err)
{
	struct err failed = { 0 };

	if (!sb->session->named || (sb->place.upper >= 0 && !sb->upper_kept))
		return 0;
	/* Another belljar may have given it another root. */
	_cleanup_free_ char *name = xasprintf("upper/%s", sb->name);
	int fd = store_get(sb->session, name, &failed);
	if (failed.status) {
		*err = failed;
		return -1;
	}
	close_fd(&sb->place.upper);
	sb->place.upper = fd;
	sb->upper_kept = true;
	return 0;
}

void named_drop_upper(struct sandbox *sb)
{
	_cleanup_free_ char *name = xasprintf("upper/%s", sb->name);

	if (sb->session->named)
		store_drop(sb->session, name);
	sb->upper_kept = false;
}

/* What is new since the last time: written down, then set free. */
static int save(struct session *s, struct err *err)
{
	struct named *n = s->named;
	_cleanup_buf_ struct buf text = { 0 };

	if (s->lab.own[NS_NET] && !n->lab) {
		if (store_put(s, "lab", s->lab.ns[NS_NET], err) < 0)
			return -1;
		n->lab = true;
	}
	put_state(&text, s);
	if (text.len != n->state.len || memcmp(text.data, n->state.data, text.len) != 0) {
		if (store_write_state(s, text.data, err) < 0)
			return -1;
		buf_clear(&n->state);
		buf_str(&n->state, text.data);
	}
	for (size_t i = 0; i < s->n_sandboxes; i++) {
		struct place *p = &s->sandboxes[i]->place;
		if (put_upper(s->sandboxes[i], err) < 0)
			return -1;
		/* A successor has taken the listening socket over; one that was put in its place has none. */
		if (p->alive && p->kept != p->pid && set_free(s, p, err) < 0)
			return -1;
	}
	return 0;
}

int named_commit(struct session *s, struct err *err)
{
	if (!s->named || s->gate.dry || s->named->depth == 0 || --s->named->depth > 0)
		return 0;
	int result = save(s, err);
	store_unlock(s);
	return result;
}

int named_release(struct session *s, struct err *err)
{
	if (s->named && s->named->depth > 0)
		s->named->depth = 1;
	return named_commit(s, err);
}

void named_leave(struct session *s)
{
	if (!s->named)
		return;
	buf_free(&s->named->state);
	free(s->named);
	s->named = NULL;
}

/* All that can fail comes before the name, and harms no unnamed session: what was set free still ends with the keeper, which ends with
 * belljar, and the state lies in the directory that goes. */
int named_keep(struct session *s, const char *name, struct err *err)
{
	if (name_check("session", name, err) < 0 || store_may_keep(s, name, err) < 0)
		return -1;
	if (s->gate.dry)
		return 0;
	if (rootless_enter(err) < 0 || store_need(s, err) < 0)
		return -1;
	s->named = xcalloc(1, sizeof *s->named);
	if (save(s, err) == 0 && store_keep(s, name, err) == 0)
		return 0;
	named_leave(s);
	return -1;
}

int session_open(struct session *s, const char *name, struct err *err)
{
	if (name_check("session", name, err) < 0)
		return -1;
	int there = store_open(s, name, err);
	if (there <= 0)
		return there < 0 ? -1 : named_keep(s, name, err);
	if (rootless_join(s->store->owner, err) < 0)
		return -1;
	s->named = xcalloc(1, sizeof *s->named);
	if (take(s, err) < 0)
		return -1;
	store_unlock(s);
	return 0;
}

/* In a dry run the steps are told. */
static int end_this(struct session *s, struct err *err)
{
	for (size_t i = s->n_sandboxes; s->gate.dry && i-- > 0;) {
		struct step step = { .kind = STEP_END, .place = &s->sandboxes[i]->place };
		if (gate_run(&s->gate, &step, 1, err) < 0)
			return -1;
	}
	if (s->gate.dry)
		return 0;
	session_end_sandboxes(s);
	session_drop(s);
	named_leave(s);
	return store_end(s, err);
}

int named_end(struct session *s, const char *name, struct err *err)
{
	if (!name && !s->name) {
		err_set(err, EINVAL, "this session has no name");
		return err_try(err, "quit, which ends it");
	}
	if (!name || (s->name && streq(s->name, name)))
		return end_this(s, err);
	struct session *other = session_new();
	other->gate.dry = s->gate.dry;
	other->gate.told = s->gate.told;
	int there = name_check("session", name, err) < 0 ? -1 : store_open(other, name, err);
	if (there == 0) {
		err_set(err, ENOENT, "no session %s", name);
		err_try(err, "sessions, which lists those there are");
	}
	if (there > 0 && rootless_join(other->store->owner, err) < 0)
		there = -1;
	if (there > 0) {
		other->named = xcalloc(1, sizeof *other->named);
		there = take(other, err) < 0 || end_this(other, err) < 0 ? -1 : 1;
	}
	if (session_leave(other, NULL) < 0 || there <= 0)
		return -1;
	return 0;
}
