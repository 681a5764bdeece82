/*
 * command.c - the list of commands, and what they are given
 *
 * Rows are found through a hash table over their names; each keeps its compiled grammar from the first time it is used.
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "lang/grammar.h"
#include "lang/lex.h"
#include "lang/near.h"

struct entry {
	const struct command *row;
	struct grammar *grammar;       /* NULL before its first use */
};

/* The one list of commands that a program has: set before anything is parsed, then only grammars are added to it. */
static struct {
	struct entry *entries;         /* in order of group */
	size_t n;
	unsigned short *slots;         /* number of an entry + 1, 0 = free */
	size_t mask;                   /* slots - 1; their number is a power of two */
	const struct type *const *types;
} registry;

static size_t hash(const char *s)
{
	uint32_t h = 2166136261u;      /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static void clear(void)
{
	for (size_t i = 0; i < registry.n; i++)
		grammar_free(&registry.entries[i].grammar);
	free(registry.entries);
	free(registry.slots);
	memset(&registry, 0, sizeof registry);
}

/* Add all rows of GROUP. */
static void add_group(const struct command *const *families, const char *group)
{
	for (; *families; families++)
		for (const struct command *c = *families; c->name; c++)
			if (streq(c->group, group))
				GROW(&registry.entries, &registry.n)->row = c;
}

static bool has_group(const char *group)
{
	for (size_t i = 0; i < registry.n; i++)
		if (streq(registry.entries[i].row->group, group))
			return true;
	return false;
}

static void fill_slots(void)
{
	size_t slots = 16;

	while (slots < registry.n * 4)
		slots *= 2;
	registry.mask = slots - 1;
	registry.slots = xcalloc(slots, sizeof *registry.slots);
	for (size_t i = 0; i < registry.n; i++) {
		size_t at = hash(registry.entries[i].row->name) & registry.mask;
		while (registry.slots[at])
			at = (at + 1) & registry.mask;
		registry.slots[at] = (unsigned short)(i + 1);
	}
}

void command_register(const struct command *const *families, const struct type *const *types)
{
	clear();
	if (!families)
		return;
	registry.types = types;
	for (const struct command *const *f = families; *f; f++)
		for (const struct command *c = *f; c->name; c++)
			if (!has_group(c->group))
				add_group(families, c->group);
	fill_slots();
}

static struct entry *entry_find(const char *name)
{
	if (registry.n == 0)
		return NULL;
	for (size_t at = hash(name) & registry.mask; registry.slots[at]; at = (at + 1) & registry.mask) {
		struct entry *e = &registry.entries[registry.slots[at] - 1];
		if (streq(e->row->name, name))
			return e;
	}
	return NULL;
}

static const struct command *fail_unknown(const char *name, struct err *err)
{
	_cleanup_buf_ struct buf word = { 0 };
	_cleanup_free_ char *start = xstrndup(name, 60);
	struct near near;

	buf_visible(&word, *start ? start : "''");
	near_start(&near, name);
	for (size_t i = 0; i < registry.n; i++)
		near_offer(&near, registry.entries[i].row->name);
	if (near.best) {
		err_usage(err, "unknown command %s, did you mean %s?", buf_text(&word), near.best);
	} else {
		err_usage(err, "unknown command %s", buf_text(&word));
		err_try(err, "help, or run %s for a program in the sandbox, or !%s for one of the host", buf_text(&word),
			buf_text(&word));
	}
	return NULL;
}

const struct command *command_find(const char *name, bool abbreviate, struct err *err)
{
	const struct entry *e = entry_find(name);
	const struct command *found = NULL;
	_cleanup_buf_ struct buf candidates = { 0 };
	size_t n = 0;

	if (e)
		return e->row;
	for (size_t i = 0; i < registry.n && abbreviate && *name; i++) {
		const struct command *c = registry.entries[i].row;
		if (!starts_with(c->name, name))
			continue;
		buf_fmt(&candidates, "%s%s", n++ ? ", " : "", c->name);
		found = c;
	}
	if (n == 0)
		return fail_unknown(name, err);
	if (n > 1) {
		err_usage(err, "%s could be %s", name, buf_text(&candidates));
		return NULL;
	}
	return found;
}

const struct command *command_at(size_t i)
{
	return i < registry.n ? registry.entries[i].row : NULL;
}

static const struct type *find_type(const char *name)
{
	for (const struct type *const *t = registry.types; t && *t; t++)
		if (streq((*t)->name, name))
			return *t;
	return type_builtin(name);
}

/* The compiled grammar of C, which must be one of the registered rows. */
static const struct grammar *grammar_of(const struct command *c, struct err *err)
{
	struct entry *e = entry_find(c->name);

	if (!e || e->row != c) {
		err_set(err, 0, "%s is not a registered command", c->name);
		return NULL;
	}
	if (!e->grammar)
		e->grammar = grammar_compile(c->grammar ? c->grammar : "", find_type, err);
	return e->grammar;
}

int command_check(const struct command *c, struct err *err)
{
	if (!c->name || !c->group || !c->brief || !c->text || !c->run)
		return err_set(err, 0, "%s: its row is not complete", c->name ? c->name : "command without a name");
	return grammar_of(c, err) ? 0 : err_wrap(err, "%s: ", c->name);
}

int args_parse(struct shell *sh, const struct command *c, const struct word *words, size_t n, const char *source,
	       struct args *out, struct err *err)
{
	const struct grammar *g = grammar_of(c, err);
	size_t taken;

	*out = (struct args){ .words = words, .n_words = n };
	if (!g)
		return -1;
	if (grammar_match(g, sh, out, &taken, c, err) < 0)
		return -1;
	if (taken < n)
		out->rest = xstrndup(source + words[taken].start, words[n - 1].end - words[taken].start);
	return 0;
}

void args_free(struct args *a)
{
	free(a->values);
	free(a->rest);
	*a = (struct args){ 0 };
}

const struct value *arg_next(const struct args *a, const char *name, const struct value *previous)
{
	for (const struct value *v = previous ? previous + 1 : a->values; v < a->values + a->n; v++)
		if (streq(v->name, name))
			return v;
	return NULL;
}

const struct value *arg(const struct args *a, const char *name)
{
	return a->n ? arg_next(a, name, NULL) : NULL;
}

const char *arg_text(const struct args *a, const char *name)
{
	const struct value *v = arg(a, name);

	return v ? v->text : NULL;
}

int64_t arg_num(const struct args *a, const char *name, int64_t otherwise)
{
	const struct value *v = arg(a, name);

	return v ? v->num : otherwise;
}

bool arg_has(const struct args *a, const char *name)
{
	return arg(a, name) != NULL;
}

void command_complete(struct shell *sh, const struct word *words, size_t n, void (*add)(void *arg, const char *text), void *arg)
{
	while (n > 1) {
		const struct entry *e = entry_find(words[0].text);
		struct err err;
		const struct grammar *g = e ? grammar_of(e->row, &err) : NULL;
		size_t inner = g ? grammar_complete(g, sh, words, n, add, arg) : 0;
		if (inner == 0)
			return;
		words += inner;
		n -= inner;
	}
	for (size_t i = 0; i < registry.n; i++)
		if (n == 0 || starts_with(registry.entries[i].row->name, words[0].text))
			add(arg, registry.entries[i].row->name);
}
