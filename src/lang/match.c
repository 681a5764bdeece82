/*
 * match.c - words against a grammar
 *
 * How it works: a list of threads, each waiting at a KEYWORD, VALUE or END, in order of preference. For each word: when some
 * KEYWORD equals it only those threads go on, otherwise those at a VALUE whose type accepts it. No two threads wait at the same
 * instruction (the preferred one stays), so their number is bounded by the program. The values a thread has gathered are a
 * chain through struct value.before, shared by the threads that split from it; with one thread, the usual case, the chain is
 * the array itself.
 */
#include "config.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/grammar.h"
#include "lang/lex.h"
#include "lang/near.h"


struct thread {
	unsigned at;           /* KEYWORD, VALUE or END */
	uint64_t used;         /* bits of ONCE */
	size_t last;           /* its latest value, counted from 1; 0 = none */
};

struct threads {
	struct thread list[GRAMMAR_LONGEST];
	size_t n;
	uint64_t seen[GRAMMAR_SEEN];          /* instructions that were reached already */
	const char *twice;     /* keyword of an alternative that is used up */
};

struct matcher {
	const struct grammar *g;
	struct shell *sh;
	bool unseen;           /* for completion: values are accepted without a look */
	struct value *values;  /* of all threads, in the order they were made */
	size_t n_values, room;
	/* Of a type that took all words that were left (what threads before it find is preferred): */
	const struct word *took_from;         /* NULL: none did */
	const struct type *took_type;
	size_t took_last;      /* as in struct thread */
};

static void threads_clear(struct threads *t)
{
	t->n = 0;
	t->twice = NULL;
}

/* Follow the ways from FROM.at to where a word is needed. WORD is the next word, only to notice a used-up alternative. */
static void follow(const struct grammar *g, struct threads *t, struct thread from, const struct word *word)
{
	for (;;) {
		const struct instruction *i = &g->code[from.at];
		uint64_t bit = UINT64_C(1) << (from.at % 64);
		if (t->seen[from.at / 64] & bit)
			return;
		t->seen[from.at / 64] |= bit;
		switch (i->op) {
		case OP_SPLIT:
			from.at = i->x;
			follow(g, t, from, word);
			from.at = i->y;
			break;
		case OP_JUMP:
			from.at = i->x;
			break;
		case OP_ONCE:
			from.at++;
			if (from.used & UINT64_C(1) << i->x) {
				const struct instruction *first = &g->code[from.at];
				if (word && first->op == OP_KEYWORD && !word->quoted && streq(first->name, word->text))
					t->twice = first->name;
				return;
			}
			from.used |= UINT64_C(1) << i->x;
			break;
		default:
			t->list[t->n++] = from;
			return;
		}
	}
}

/* The same, from where a word was taken or the program begins. */
static void reach(const struct grammar *g, struct threads *t, struct thread from, const struct word *word)
{
	const struct instruction *i = &g->code[from.at];

	if (t->n == 0)
		memcpy(t->seen, i->seen, sizeof t->seen);
	if (t->n > 0 || i->n_stops == 0) {
		follow(g, t, from, word);
		return;
	}
	t->n = i->n_stops;
	for (size_t k = 0; k < t->n; k++) {
		from.at = i->stops[k];
		t->list[k] = from;
	}
}

/* Add a value to the chain that ends at *LAST. */
static struct value *add_value(struct matcher *m, size_t *last, const char *name, const struct word *word)
{
	if (m->n_values == m->room) {
		m->room *= 2;
		m->values = xreallocarray(m->values, m->room, sizeof *m->values);
	}
	struct value *v = &m->values[m->n_values++];
	*v = (struct value){ .name = name, .text = word->text, .word = word, .before = *last };
	*last = m->n_values;
	return v;
}

static bool is_keyword(const struct instruction *i, const struct word *word)
{
	return i->op == OP_KEYWORD && !word->quoted && i->name[0] == word->text[0] && streq(i->name, word->text);
}

/* Those of NOW that wait for the keyword WORD go on into NEXT. */
static void step_keywords(struct matcher *m, const struct threads *now, struct threads *next, const struct word *word,
			  const struct word *after)
{
	for (size_t k = 0; k < now->n; k++) {
		struct thread t = now->list[k];
		if (!is_keyword(&m->g->code[t.at], word))
			continue;
		add_value(m, &t.last, m->g->code[t.at].name, word);
		t.at++;
		reach(m->g, next, t, after);
	}
}

/* Those of NOW that wait for a value that WORD can be (LEFT words from it to the end) go on into NEXT. ERR: the first refusal. */
static void step_values(struct matcher *m, const struct threads *now, struct threads *next, const struct word *word, size_t left,
			struct err *err)
{
	struct err other, *refusal = err;

	for (size_t k = 0; k < now->n; k++) {
		struct thread t = now->list[k];
		const struct instruction *i = &m->g->code[t.at];
		if (i->op != OP_VALUE)
			continue;
		struct value *v = add_value(m, &t.last, i->name, word);
		v->num = i->type->all ? (int64_t)left : 0;
		if (!m->unseen && i->type->parse && i->type->parse(m->sh, v, refusal) < 0) {
			m->n_values--;
			refusal = &other;
			continue;
		}
		if (i->type->all) {
			m->took_from = word;
			m->took_type = i->type;
			m->took_last = t.last;
			return;
		}
		t.at++;
		reach(m->g, next, t, left > 1 ? word + 1 : NULL);
	}
}

static void step(struct matcher *m, const struct threads *now, struct threads *next, const struct word *word, size_t left,
		 struct err *err)
{
	threads_clear(next);
	step_keywords(m, now, next, word, left > 1 ? word + 1 : NULL);
	if (next->n == 0)
		step_values(m, now, next, word, left, err);
}

/* Make the chain that ends at LAST the values of A. */
static void gather(struct matcher *m, size_t last, struct args *a)
{
	size_t n = 0;
	bool whole = true;

	for (size_t at = last; at; at = m->values[at - 1].before) {
		n++;
		whole = whole && m->values[at - 1].before == at - 1;
	}
	if (!whole) {
		struct value *values = xcalloc(n, sizeof *values);
		size_t to = n;
		for (size_t at = last; at; at = m->values[at - 1].before)
			values[--to] = m->values[at - 1];
		free(m->values);
		m->values = values;
	}
	a->values = m->values;
	a->n = n;
}

/* ---- errors ---- */

/* A word for a message: made visible, and not longer than a line bears. */
static char *shown(const struct word *w)
{
	struct buf b = { 0 };
	_cleanup_free_ char *start = xstrndup(w->text, 60);

	if (!*start)
		buf_str(&b, "''");
	buf_visible(&b, start);
	if (strlen(w->text) > 60)
		buf_str(&b, "...");
	return buf_take(&b);
}

/* "memory, swap or NAME": what the threads wait for, each once. Returns how many. */
static size_t expected(const struct grammar *g, const struct threads *t, bool with_end, struct buf *b)
{
	const char *items[GRAMMAR_LONGEST + 1];
	size_t n = 0;

	for (size_t k = 0; k < t->n; k++) {
		const char *item = g->code[t->list[k].at].shown;
		size_t same = 0;
		while (same < n && item && !streq(items[same], item))
			same++;
		if (item && same == n)
			items[n++] = item;
	}
	size_t named = n;
	if (with_end)
		items[n++] = "the end";
	for (size_t k = 0; k < n; k++)
		buf_fmt(b, "%s%s", k == 0 ? "" : k == n - 1 ? " or " : ", ", items[k]);
	return named;
}

static bool ends(const struct grammar *g, const struct threads *t)
{
	for (size_t k = 0; k < t->n; k++)
		if (g->code[t->list[k].at].op == OP_END)
			return true;
	return false;
}

static size_t count_values(const struct grammar *g, const struct threads *t)
{
	size_t n = 0;

	for (size_t k = 0; k < t->n; k++)
		n += g->code[t->list[k].at].op == OP_VALUE;
	return n;
}

static int try_usage(const struct command *c, struct err *err)
{
	_cleanup_buf_ struct buf usage = { 0 };

	command_usage(c, &usage);
	return err_try(err, "%s", buf_text(&usage));
}

static void unexpected_words(const struct word *words, size_t n, struct err *err)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (size_t i = 0; i < n && i < 4; i++) {
		_cleanup_free_ char *word = shown(&words[i]);
		buf_fmt(&b, " %s", word);
	}
	err_usage(err, "unexpected word%s%s%s", n == 1 ? ":" : "s:", buf_text(&b), n > 4 ? " ..." : "");
}

/* The keyword that a thread took just before word W, or NULL. */
static const char *keyword_before(const struct matcher *m, const struct threads *now, const struct word *w)
{
	for (size_t k = 0; k < now->n; k++) {
		const struct thread *t = &now->list[k];
		const struct value *v = t->last ? &m->values[t->last - 1] : NULL;
		if (v && m->g->code[t->at].op == OP_VALUE && v->word + 1 == w && streq(v->name, v->text))
			return v->name;
	}
	return NULL;
}

struct suggestion {
	struct near near;
	char text[64];         /* the best one, which lives only as long as it is offered */
};

static void offer(void *arg, const char *text)
{
	struct suggestion *s = arg;

	s->near.best = NULL;
	near_offer(&s->near, text);
	if (s->near.best && strlen(text) < sizeof s->text)
		memcpy(s->text, text, strlen(text) + 1);
}

/* Ask the type that has refused WORD whether something near to it would have done. */
static void suggest_value(const struct matcher *m, const struct threads *now, const struct word *word, struct err *err)
{
	struct suggestion s = { .text = "" };
	size_t n = strlen(err->text);

	near_start(&s.near, word->text);
	for (size_t k = 0; k < now->n; k++) {
		const struct instruction *i = &m->g->code[now->list[k].at];
		if (i->op == OP_VALUE && i->type->complete)
			i->type->complete(m->sh, "", offer, &s);
	}
	if (s.text[0] && !strstr(err->text, "did you mean"))
		snprintf(err->text + n, sizeof err->text - n, ", did you mean %s?", s.text);
}

/* Nothing that NOW waits for is words[0]. ERR holds the refusal of the first value that was possible, if there was one. */
static int fail_word(const struct matcher *m, const struct threads *now, const struct word *words, size_t n,
		     const struct command *c, struct err *err)
{
	const struct grammar *g = m->g;
	const struct word *w = &words[0];
	_cleanup_free_ char *word = shown(w);
	_cleanup_buf_ struct buf b = { 0 };
	struct near near;
	size_t values = count_values(g, now), items = expected(g, now, ends(g, now), &b);

	near_start(&near, w->text);
	for (size_t k = 0; k < now->n && !w->quoted; k++)
		if (g->code[now->list[k].at].op == OP_KEYWORD)
			near_offer(&near, g->code[now->list[k].at].name);
	if (values == 1 && err->status && !near.best && !now->twice) {
		const char *keyword = keyword_before(m, now, w);
		suggest_value(m, now, w, err);
		if (keyword)
			err_wrap(err, "%s: ", keyword);
		err->column = w->column;
		return -1;
	}
	if (now->twice)
		err_usage(err, "%s is given twice", now->twice);
	else if (near.best)
		err_usage(err, "unknown word %s, did you mean %s?", word, near.best);
	else if (items == 0)
		unexpected_words(words, n, err);
	else
		err_usage(err, "%s: expected %s", word, buf_text(&b));
	err->column = w->column;
	return try_usage(c, err);
}

/* The words are over too soon. ERR: the refusal of the last of them by a value that it could have been as well, if there was one. */
static int fail_missing(const struct grammar *g, const struct threads *now, const struct args *a, const struct command *c,
			struct err *err)
{
	const struct word *before = &a->words[a->n_words - 1];
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_free_ char *after = shown(before);
	const char *what = NULL;
	struct err refusal = *err;

	if (expected(g, now, false, &b) == 1 && count_values(g, now) == 1)
		what = g->code[now->list[0].at].type->what;
	err_usage(err, "expected %s after %s%s%s", buf_text(&b), after, what ? ": " : "", what ? what : "");
	err->column = before->column + (int)(before->end - before->start);
	for (const char *s = before->text; *s; s++)
		err->column -= (*s & 0xc0) == 0x80;
	if (refusal.status && refusal.hint[0]) {
		err_why(err, "%s", refusal.text);
		return err_try(err, "%s", refusal.hint);
	}
	return try_usage(c, err);
}

/* ---- matching ---- */

int grammar_match(const struct grammar *g, struct shell *sh, struct args *a, size_t *taken, const struct command *c,
		  struct err *err)
{
	struct threads sets[2], *now = &sets[0], *next = &sets[1];
	struct matcher m = { .g = g, .sh = sh, .room = a->n_words + 1 };
	struct err nobody;
	size_t i = 1;

	err = err ? err : &nobody;
	err_clear(err);
	m.values = xmalloc(m.room * sizeof *m.values);
	threads_clear(now);
	reach(g, now, (struct thread){ 0 }, a->n_words > 1 ? &a->words[1] : NULL);
	for (; i < a->n_words; i++) {
		err_clear(err);
		step(&m, now, next, &a->words[i], a->n_words - i, err);
		if (next->n == 0)
			break;
		struct threads *done = now;
		now = next;
		next = done;
	}
	*taken = a->n_words;
	for (size_t k = 0; i == a->n_words && k < now->n; k++)
		if (g->code[now->list[k].at].op == OP_END) {
			gather(&m, now->list[k].last, a);
			return 0;
		}
	if (m.took_from) {
		*taken = (size_t)(m.took_from - a->words);
		gather(&m, m.took_last, a);
		return 0;
	}
	int result = i < a->n_words ? fail_word(&m, now, &a->words[i], a->n_words - i, c, err) : fail_missing(g, now, a, c, err);
	free(m.values);
	return result;
}

/* ---- completion ---- */

size_t grammar_complete(const struct grammar *g, struct shell *sh, const struct word *words, size_t n,
			void (*add)(void *arg, const char *text), void *arg)
{
	struct threads sets[2], *now = &sets[0], *next = &sets[1];
	struct matcher m = { .g = g, .sh = sh, .unseen = true, .room = n + 1 };
	const struct word *last = &words[n - 1];
	size_t line = 0;

	m.values = xmalloc(m.room * sizeof *m.values);
	threads_clear(now);
	reach(g, now, (struct thread){ 0 }, NULL);
	for (size_t i = 1; i + 1 < n; i++) {
		step(&m, now, next, &words[i], n - i, NULL);
		struct threads *done = now;
		now = next;
		next = done;
	}
	free(m.values);
	for (size_t k = 0; k < now->n; k++) {
		const struct instruction *i = &g->code[now->list[k].at];
		if (i->op == OP_KEYWORD && !last->quoted && starts_with(i->name, last->text))
			add(arg, i->name);
		else if (i->op == OP_VALUE && type_is_command(i->type))
			line = n - 1;
		else if (i->op == OP_VALUE && i->type->complete)
			i->type->complete(sh, last->text, add, arg);
	}
	if (m.took_from && type_is_command(m.took_type))
		line = (size_t)(m.took_from - words);
	else if (m.took_from && m.took_type->complete)
		m.took_type->complete(sh, last->text, add, arg);
	return line;
}
