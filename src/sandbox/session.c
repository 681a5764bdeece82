/*
 * session.c - sandboxes come and go
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/cg.h"
#include "kern/holder.h"
#include "kern/net.h"
#include "kern/rootless.h"
#include "sandbox/named.h"
#include "sandbox/network_lend.h"
#include "sandbox/network_names.h"
#include "sandbox/network_nat.h"
#include "sandbox/network_publish.h"
#include "sandbox/network_pool.h"
#include "sandbox/session.h"
#include "sandbox/store.h"

struct session *session_new(void)
{
	struct session *s = xcalloc(1, sizeof *s);

	place_init(&s->host, "host");
	place_init(&s->lab, "lab");
	s->out[0] = s->out[1] = -1;
	gate_plan(&s->gate);
	return s;
}

void sandbox_note_root(struct sandbox *sb, const struct root_wish *wish)
{
	struct root_wish old = sb->wish, new = { 0 };
	_cleanup_buf_ struct buf words = { 0 };

	if (wish) {
		new = *wish;
		new.layers = NULL;
		new.n = 0;
		new.upper = xstrdup(wish->upper);
	}
	for (size_t i = 0; wish && i < wish->n; i++) {
		buf_fmt(&words, "%s%s", i ? " " : "", wish->layers[i]);
		*GROW(&new.layers, &new.n) = xstrdup(wish->layers[i]);
	}
	free(sb->root);
	sb->root = wish ? buf_take(&words) : NULL;
	sb->wish = new;
	for (size_t i = 0; i < old.n; i++)
		free(old.layers[i]);
	free(old.layers);
	free(old.upper);
}

void sandbox_free(struct sandbox *sb)
{
	gate_forget_place(&sb->session->gate, &sb->place);
	place_release(&sb->place);
	for (size_t i = 0; i < sb->n_env; i++)
		free(sb->env[i]);
	free(sb->env);
	free(sb->learned);
	sandbox_note_root(sb, NULL);
	free(sb->group);
	free(sb->part);
	free(sb->name);
	free(sb);
}

static void forget(struct session *s, size_t at)
{
	struct sandbox *sb = s->sandboxes[at];

	memmove(&s->sandboxes[at], &s->sandboxes[at + 1], (s->n_sandboxes - at - 1) * sizeof *s->sandboxes);
	s->n_sandboxes--;
	if (s->current == sb)
		s->current = s->n_sandboxes ? s->sandboxes[s->n_sandboxes - 1] : NULL;
	sandbox_free(sb);
}

int session_check(struct session *s, void (*say)(void *arg, const char *text), void *arg)
{
	int said = 0;

	for (size_t i = s->n_sandboxes; i-- > 0;) {
		struct sandbox *sb = s->sandboxes[i];
		if (!sb->place.alive) {
			forget(s, i);
		} else if (say && holder_gone(&sb->place)) {
			_cleanup_free_ char *text = xasprintf("%s: its first process (%d) was killed from outside; the sandbox is gone", sb->name,
							      (int)sb->place.pid);
			struct place *p = &sb->place;
			say(arg, text);
			said++;
			holder_end(&p, 1);
			network_give_back(sb, NULL, NULL);
			sandbox_ungroup(sb, NULL);
			names_forget(s, sb->name, NULL, NULL);
			publish_forget(s, sb->name, NULL);
			named_drop_upper(sb);
			forget(s, i);
		}
	}
	network_lent_settle(s);
	return said;
}

void session_end_sandboxes(struct session *s)
{
	_cleanup_free_ struct place **places = xcalloc(s->n_sandboxes, sizeof *places);

	/* What can't come home now is noted in the ledger. */
	for (size_t i = 0; i < s->n_sandboxes && !s->gate.dry; i++)
		network_give_back(s->sandboxes[i], NULL, NULL);

	for (size_t i = 0; i < s->n_sandboxes; i++)
		places[i] = &s->sandboxes[i]->place;
	holder_end(places, s->n_sandboxes);
}

void session_drop(struct session *s)
{
	gate_forget(&s->gate, 0, s->gate.n_done);
	while (s->n_sandboxes)
		forget(s, s->n_sandboxes - 1);
	place_release(&s->lab);
	pool_forget(s);
}

int session_leave(struct session *s, struct err *err)
{
	int result = 0;

	if (!s->name)
		session_end_sandboxes(s);
	/* What is not empty is the ledger's. */
	for (size_t i = 0; i < s->n_sandboxes && !s->name && !s->gate.dry; i++)
		if (s->sandboxes[i]->group)
			cg_remove_empty(s->sandboxes[i]->group);
	session_drop(s);
	free(s->gate.done);
	free(s->sandboxes);
	place_release(&s->host);
	named_leave(s);
	bool unnamed = !s->name;
	result = store_leave(s, err);
	nat_leave(s, unnamed);
	for (size_t i = 0; i < s->n_lent; i++)
		free(s->lent[i]);
	free(s->lent);
	free(s->group);
	free(s->name);
	free(s);
	return result;
}

int name_check(const char *what, const char *name, struct err *err)
{
	static const char *const reserved[] = { "host", "lab", "all" };
	size_t n = strlen(name);

	for (size_t i = 0; streq(what, "sandbox") && i < ARRAY_SIZE(reserved); i++)
		if (streq(name, reserved[i]))
			return err_usage(err, "%s is a word of belljar's own and can't name a %s", name, what);
	if (n == 0 || n > NAME_LONGEST)
		return err_usage(err, "the name of a %s has 1 to %d bytes, this one %zu", what, NAME_LONGEST, n);
	bool good = name[0] != '.' && name[0] != '-';
	for (const char *c = name; *c; c++)
		good = good && (isalnum((unsigned char)*c) || strchr("._-", *c)) && (unsigned char)*c < 128;
	if (!good) {
		_cleanup_buf_ struct buf shown = { 0 };
		buf_visible(&shown, name);
		return err_usage(err, "%s can't name a %s: letters, digits, dot, dash and underscore, not first a dot or dash", buf_text(&shown),
				 what);
	}
	return 0;
}

static struct sandbox *find(const struct session *s, const char *name)
{
	for (size_t i = s->n_sandboxes; i-- > 0;)
		if (streq(s->sandboxes[i]->name, name))
			return s->sandboxes[i];
	return NULL;
}

struct sandbox *sandbox_find(struct session *s, const char *name, struct err *err)
{
	struct sandbox *sb = find(s, name);
	_cleanup_buf_ struct buf shown = { 0 };

	if (sb)
		return sb;
	buf_visible(&shown, name);
	err_set(err, 0, "no sandbox %.100s", buf_text(&shown));
	if (s->n_sandboxes == 0)
		err_try(err, "new %.100s", buf_text(&shown));
	else
		err_try(err, "ls, which lists them");
	return NULL;
}

struct sandbox *sandbox_current(struct session *s, struct err *err)
{
	if (s->current)
		return s->current;
	err_set(err, 0, "no sandbox yet");
	err_try(err, "new NAME");
	return NULL;
}

struct sandbox *sandbox_new(struct session *s, const char *name, struct err *err)
{
	if (name_check("sandbox", name, err) < 0)
		return NULL;
	if (find(s, name)) {
		err_set(err, EEXIST, "there is a sandbox %s already", name);
		err_try(err, "use %s, or another name", name);
		return NULL;
	}
	if (!s->gate.dry && rootless_enter(err) < 0)
		return NULL;
	struct sandbox *sb = xcalloc(1, sizeof *sb);
	sb->name = xstrdup(name);
	sb->session = s;
	place_init(&sb->place, sb->name);
	struct step step = { .kind = STEP_HOLDER, .place = &sb->place };
	if (gate_run(&s->gate, &step, 1, err) < 0) {
		sandbox_free(sb);
		return NULL;
	}
	*GROW(&s->sandboxes, &s->n_sandboxes) = sb;
	s->current = sb;
	return sb;
}

int sandbox_remove(struct sandbox *sb, struct err *err)
{
	struct session *s = sb->session;
	struct step step = { .kind = STEP_END, .place = &sb->place };

	if (network_give_back(sb, NULL, err) < 0 || gate_run(&s->gate, &step, 1, err) < 0 || sandbox_ungroup(sb, err) < 0 || names_forget(s, sb->name, NULL, err) < 0 ||
	    publish_forget(s, sb->name, err) < 0)
		return -1;
	named_drop_upper(sb);
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (s->sandboxes[i] == sb) {
			forget(s, i);
			break;
		}
	return 0;
}

int sandbox_rename(struct sandbox *sb, const char *name, struct err *err)
{
	if (name_check("sandbox", name, err) < 0)
		return -1;
	if (find(sb->session, name))
		return err_set(err, EEXIST, "there is a sandbox %s already", name);
	if (names_forget(sb->session, sb->name, name, err) < 0)
		return -1;
	if (named_upper(sb, err) < 0)
		return -1;
	named_drop_upper(sb);
	free(sb->name);
	sb->name = xstrdup(name);
	sb->place.name = sb->name;
	/* Its socket goes by its name. */
	sb->place.kept = 0;
	return 0;
}

struct place *session_lab(struct session *s, struct err *err)
{
	struct step step = { .kind = STEP_LAB, .place = &s->lab };

	if (!s->gate.dry && rootless_enter(err) < 0)
		return NULL;
	if (!s->lab.own[NS_NET] && gate_run(&s->gate, &step, 1, err) < 0)
		return NULL;
	return &s->lab;
}

void sandbox_env(struct sandbox *sb, const char *name, const char *value)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < sb->n_env; i++)
		if (strncmp(sb->env[i], name, n) == 0 && sb->env[i][n] == '=') {
			free(sb->env[i]);
			sb->env[i] = sb->env[--sb->n_env];
			break;
		}
	if (value)
		*GROW(&sb->env, &sb->n_env) = xasprintf("%s=%s", name, value);
}
