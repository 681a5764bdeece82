/*
 * gate.c - the one door between commands and the kernel
 *
 * A list is cut into runs: neighbouring steps with the same performer and place. A run of holder's steps is one message; a run of joined
 * steps is one child, before which belljar itself makes the detached mounts; host's steps are performed one by one. What was performed is
 * noted in the journal with its inverse, so taking back after a failure, undo and leaving are the same code.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/gate.h"
#include "kern/holder.h"
#include "kern/joined.h"

enum { RUN_LONGEST = 12 };

struct change {
	struct step done, inverse;
	int can;               /* as step_row.inverse says: 1, 0, -1; -2: its place is gone */
};

static const struct step_row *row_of(const struct step *s)
{
	return &step_table[s->kind];
}

static void note(struct gate *g, const struct step *s)
{
	struct change *c = GROW(&g->done, &g->n_done);
	struct step inverse = { 0 };

	c->can = row_of(s)->inverse ? row_of(s)->inverse(s, &inverse) : row_of(s)->for_good ? -1 : 0;
	/* Without its descriptors: they would keep a namespace alive that everybody else has left, and its links with it. */
	struct step done = *s;
	done.fd[0] = done.fd[1] = -1;
	step_copy(&c->done, &done);
	if (c->can == 1)
		step_copy(&c->inverse, &inverse);
}

static void forget_one(struct change *c)
{
	step_free(&c->done);
	if (c->can == 1)
		step_free(&c->inverse);
}

/* A message being put together. */
struct parcel {
	struct wire_act acts[WIRE_ACTS];
	size_t n, of[WIRE_ACTS];       /* of: the step each act belongs to */
	int fds[WIRE_FDS];
	size_t n_fds;
	struct cg_entry groups[CG_ENTRIES];
	size_t n_groups;
	int proc;                      /* belljar's /proc, -1 = not opened */
	uint64_t changed;              /* kinds of namespaces that are others afterwards */
};

static void act(struct parcel *p, size_t step, uint32_t op, uint32_t fd, uint64_t flags)
{
	p->of[p->n] = step;
	p->acts[p->n++] = (struct wire_act){ op, fd, flags };
}

static int put_groups(struct parcel *p, size_t i, const struct step *s, struct err *err)
{
	uint64_t dirs = 0;
	uint32_t first = (uint32_t)p->n_fds + 1;

	if (cg_entries(s->text, s->place, p->groups, &p->n_groups, err) < 0)
		return -1;
	if (p->proc < 0 && (p->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_set(err, errno, "/proc can't be opened");
	for (size_t g = 0; g < p->n_groups; g++) {
		dirs |= p->groups[g].kind == 'd' ? 1u << g : 0;
		p->fds[p->n_fds++] = p->groups[g].fd;
	}
	p->fds[p->n_fds++] = p->proc;
	act(p, i, WIRE_CGROUP_NS, first, p->n_groups | dirs << 16);
	p->changed |= (uint64_t)ns_table[NS_CGROUP].flag;
	return 0;
}

static int put_step(struct parcel *p, size_t i, const struct step *s, struct err *err)
{
	uint64_t kind = s->kind == STEP_JOIN ? (uint64_t)ns_table[s->num].flag : 0;

	switch (s->kind) {
	case STEP_CGROUP_NS:
		return put_groups(p, i, s, err);
	case STEP_JOIN:
		p->fds[p->n_fds++] = s->fd[0];
		act(p, i, WIRE_JOIN, (uint32_t)p->n_fds, kind);
		/* Its own pid namespace can't be changed, only its children's. */
		if (s->num == NS_PID)
			act(p, i, WIRE_FORK, 0, 0);
		p->changed |= kind;
		return 0;
	case STEP_PID:
		p->changed |= (uint64_t)ns_table[NS_PID].flag;
		break;
	case STEP_UNSHARE:
		p->changed |= s->flags;
		break;
	default:
		break;
	}
	act(p, i, row_of(s)->op, 0, s->flags);
	return 0;
}

/* Holder's steps in one message. *done: how many were performed. */
static int run_holder(struct step *s, size_t n, size_t *done, struct err *err)
{
	struct parcel p = { .proc = -1 };
	size_t acted = 0;
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++)
		result = put_step(&p, i, &s[i], err);
	if (result == 0) {
		result = holder_batch(s->place, p.acts, p.n, p.fds, p.n_fds, &acted, err);
		*done = acted == p.n ? n : p.of[acted];
	}
	close_fd(&p.proc);
	struct err late = { 0 };
	if (*done && place_refresh(s->place, p.changed, result < 0 ? &late : err) < 0)
		return -1;
	return result;
}

struct joined_steps {
	struct step *steps;
	size_t n, done;
	int fds[RUN_LONGEST];
};

static bool needs_joined(const struct step *s)
{
	return row_of(s)->needs && row_of(s)->needs(s);
}

static int make_joined(void *arg, struct err *err)
{
	struct joined_steps *j = arg;

	for (size_t i = 0; i < j->n; i++)
		if (needs_joined(&j->steps[i]) && row_of(&j->steps[i])->make_joined(&j->steps[i], &j->fds[i], err) < 0)
			return -1;
	return 0;
}

static int act_joined(void *arg, struct err *err)
{
	struct joined_steps *j = arg;

	for (; j->done < j->n; j->done++)
		if (row_of(&j->steps[j->done])->act(&j->steps[j->done], j->fds[j->done], err) < 0)
			return -1;
	return 0;
}

/* Joined steps in one child. */
static int run_joined(struct step *s, size_t n, size_t *done, struct err *err)
{
	struct joined_steps j = { .steps = s, .n = n };
	unsigned kinds = 1u << NS_MNT | 1u << NS_UTS | 1u << NS_PID | 1u << NS_NET | 1u << NS_IPC;
	size_t made = 0;
	bool needs = false;
	int result = 0;

	for (; made < n && result == 0; made++) {
		j.fds[made] = -1;
		needs = needs || needs_joined(&s[made]);
		if (row_of(&s[made])->make)
			result = row_of(&s[made])->make(&s[made], &j.fds[made], err);
	}
	if (result == 0)
		result = joined_run(s->place, kinds, 0, needs ? make_joined : NULL, act_joined, &j, err);
	for (size_t i = 0; i < made; i++)
		close_fd(&j.fds[i]);
	*done = j.done;
	return result;
}

static int perform(struct step *s, size_t n, size_t *done, struct err *err)
{
	*done = 0;
	switch (row_of(s)->who) {
	case WHO_HOLDER:
		return run_holder(s, n, done, err);
	case WHO_JOINED:
		return run_joined(s, n, done, err);
	default:
		if (row_of(s)->act(s, -1, err) < 0)
			return -1;
		*done = 1;
		return 0;
	}
}

/* How many steps from S on can go in one trip. */
static size_t run_length(const struct gate *g, const struct step *s, size_t n)
{
	size_t len = 1;

	if (row_of(s)->who == WHO_HOST)
		return 1;
	while (len < n && len < RUN_LONGEST && row_of(&s[len])->who == row_of(s)->who && s[len].place == s->place)
		len++;
	/* The step that is to fail begins a run of its own. */
	if (g->fail_at > g->count + 1 && g->fail_at <= g->count + len)
		len = g->fail_at - g->count - 1;
	return len;
}

static int fail(struct gate *g, const struct step *s, struct err *err)
{
	if (g->fail_kill)
		raise(SIGKILL);
	return err_set(err, g->fail_errno, "%s: %s: failed on purpose (step %lu of the fault plan)", s->place ? s->place->name : "host",
		       row_of(s)->name, g->fail_at);
}

int gate_run(struct gate *g, struct step *steps, size_t n, struct err *err)
{
	size_t mark = g->n_done, len;

	for (size_t i = 0; i < n; i += len) {
		size_t done = 0;
		int result = 0;

		len = run_length(g, &steps[i], n - i);
		if (g->explain || g->dry)
			for (size_t k = i; k < i + len; k++)
				gate_tell(&steps[k], g->told ? g->told : stdout);
		if (g->fail_at && g->fail_at == g->count + 1)
			result = fail(g, &steps[i], err);
		else if (!g->dry)
			result = perform(&steps[i], len, &done, err);
		if (g->dry)
			done = result < 0 ? 0 : len;
		for (size_t k = i; k < i + done; k++) {
			step_applied(&steps[k]);
			note(g, &steps[k]);
		}
		g->count += done;
		if (result < 0) {
			g->count++;
			struct err back = { 0 };
			if (gate_rollback(g, mark, &back) < 0)
				err_why(err, "and what came before could not be taken back: %.500s", back.text);
			return -1;
		}
	}
	return 0;
}

size_t gate_mark(const struct gate *g)
{
	return g->n_done;
}

/* The steps that take back are counted in the fault plan too. */
static int take_back(struct gate *g, struct step *inverse, struct err *err)
{
	size_t done;

	g->count++;
	if (g->fail_at && (g->count == g->fail_at || (g->fail_back && g->count == g->fail_at + 1)))
		return fail(g, inverse, err);
	return g->dry ? 0 : perform(inverse, 1, &done, err);
}

int gate_rollback(struct gate *g, size_t mark, struct err *err)
{
	int result = 0;

	while (g->n_done > mark) {
		struct change c = g->done[--g->n_done];
		struct err one = { 0 };

		if (c.can == 1) {
			if (g->explain || g->dry)
				gate_tell(&c.inverse, g->told ? g->told : stdout);
			if (take_back(g, &c.inverse, &one) < 0) {
				if (result == 0 && err)
					*err = one;
				result = -1;
			} else {
				step_applied(&c.inverse);
			}
		}
		forget_one(&c);
	}
	return result;
}

void gate_forget(struct gate *g, size_t mark, size_t end)
{
	if (mark == end)
		return;
	for (size_t i = mark; i < end; i++)
		forget_one(&g->done[i]);
	memmove(&g->done[mark], &g->done[end], (g->n_done - end) * sizeof *g->done);
	g->n_done -= end - mark;
	/* GROW counts on room for a power of two: give the array that room again. */
	size_t room = 1;
	while (room < g->n_done)
		room *= 2;
	g->done = xreallocarray(g->done, room, sizeof *g->done);
}

void gate_forget_place(struct gate *g, const struct place *p)
{
	for (size_t i = 0; i < g->n_done; i++) {
		struct change *c = &g->done[i];
		if (c->done.place != p)
			continue;
		if (c->can == 1)
			step_free(&c->inverse);
		c->can = -2;
		c->done.place = NULL;
	}
}

int gate_can_undo(const struct gate *g, size_t mark, size_t end, struct err *err)
{
	for (size_t i = end; i-- > mark;)
		if (g->done[i].can < 0) {
			const struct step *s = &g->done[i].done;
			if (g->done[i].can == -2)
				return err_set(err, 0, "%s can't be taken back: its sandbox is gone", row_of(s)->name);
			return err_set(err, 0, "%s: %s can't be taken back: %s", s->place ? s->place->name : "host", row_of(s)->name,
				       row_of(s)->for_good);
		}
	return 0;
}

/* Is NAME in the place P one of the ends of S? */
static bool is_end(const struct step *s, const struct place *p, const char *name)
{
	return (s->place == p && s->to && streq(s->to, name)) ||
	       (s->kind == STEP_VETH && streq(s->text, p->name) && streq(s->what, name));
}

/* Was the link that the step I made deleted later, by either end? */
static bool is_unlinked(const struct gate *g, size_t i)
{
	const struct step *made = &g->done[i].done;

	for (size_t k = i + 1; k < g->n_done; k++) {
		const struct step *s = &g->done[k].done;
		if ((s->kind == STEP_UNLINK || s->kind == STEP_RETURN) && s->place && is_end(made, s->place, s->to))
			return true;
	}
	return false;
}

int gate_planned_link(const struct gate *g, const struct place *p, const char *name)
{
	for (size_t i = g->n_done; i-- > 0;) {
		const struct step *s = &g->done[i].done;
		bool made = s->kind == STEP_BRIDGE || s->kind == STEP_VETH || s->kind == STEP_DEVICE || s->kind == STEP_LEND ||
			    s->kind == STEP_SLIRP;
		if (made && s->place && is_end(s, p, name) && !is_unlinked(g, i))
			return (int)s->kind;
	}
	return -1;
}

const struct step *gate_done(const struct gate *g, size_t i)
{
	return i < g->n_done ? &g->done[i].done : NULL;
}

void gate_plan(struct gate *g)
{
	static const struct { const char *name; int number; } errors[] = { { "EPERM", EPERM }, { "ENOMEM", ENOMEM }, { "ENOSPC", ENOSPC },
									   { "EBUSY", EBUSY }, { "EINVAL", EINVAL }, { "EIO", EIO } };
	const char *plan = getenv("BELLJAR_FAULT");
	char *rest;

	if (!plan)
		return;
	g->fail_at = strtoul(plan, &rest, 10);
	g->fail_errno = EPERM;
	if (streq(rest, ":KILL"))
		g->fail_kill = true;
	if (streq(rest, ":BACK"))
		g->fail_back = true;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (*rest == ':' && streq(rest + 1, errors[i].name))
			g->fail_errno = errors[i].number;
}
