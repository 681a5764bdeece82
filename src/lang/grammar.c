/*
 * grammar.c - compiling a command's grammar
 *
 * How it works: the text becomes a tree, the tree instructions (grammar.h says what they mean).
 */
#include "config.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/grammar.h"

/* ---- the text as a tree ---- */

enum shape { SHAPE_KEYWORD, SHAPE_VALUE, SHAPE_SEQUENCE, SHAPE_CHOICE, SHAPE_OPTION, SHAPE_REPEAT, SHAPE_ANY_ORDER };

struct node {
	enum shape shape;
	struct token token;    /* KEYWORD, VALUE */
	struct node *child;    /* the first one; OPTION and REPEAT have exactly one */
	struct node *next;     /* sibling */
};

struct compiler {
	struct grammar *g;
	const char *text;      /* what is still to be read */
	struct token token;    /* the next one */
	int depth;
	const struct type *(*find_type)(const char *name);
	struct err *err;
	bool failed;
};

/* A word ends at a blank, a sign or "..."; a [ that touches it opens a remark and belongs to it. */
static int word_length(const char *s, int *name)
{
	int n = 0;

	*name = 0;
	while (s[n] && !strchr(" ()|]", s[n]) && strncmp(s + n, "...", 3) != 0) {
		if (s[n] == '[' && n > 0) {
			int remark = (int)strcspn(s + n, "]");
			if (!*name)
				*name = n;
			n += remark + (s[n + remark] == ']');
			continue;
		}
		n++;
	}
	return n;
}

struct token grammar_token(const char **text)
{
	const char *s = *text + strspn(*text, " ");
	struct token t = { .at = s, .length = 1, .spaced = s != *text };

	if (!*s) {
		t.length = 0;
	} else if (strchr("[]()|", *s)) {
		t.kind = TOKEN_SIGN;
	} else if (strncmp(s, "...", 3) == 0) {
		t.kind = TOKEN_REPEAT;
		t.length = 3;
	} else {
		int whole = word_length(s, &t.name);
		t.kind = isupper((unsigned char)*s) ? TOKEN_VALUE : TOKEN_KEYWORD;
		t.length = whole;
		/* The type is behind the last colon that is in no remark. */
		for (int i = whole; t.kind == TOKEN_VALUE && i-- > 0 && s[i] != ']';)
			if (s[i] == ':') {
				t.type = s + i + 1;
				t.type_length = whole - i - 1;
				t.length = i;
				break;
			}
		if (!t.name || t.name > t.length)
			t.name = t.length;
		*text = s + whole;
		return t;
	}
	*text = s + t.length;
	return t;
}

static void advance(struct compiler *c)
{
	c->token = grammar_token(&c->text);
}

static bool at_sign(const struct compiler *c, char sign)
{
	return c->token.kind == TOKEN_SIGN && *c->token.at == sign;
}

static void fail(struct compiler *c, const char *what)
{
	if (!c->failed)
		err_set(c->err, 0, "grammar: %s at \"%.40s\"", what, c->token.at);
	c->failed = true;
}

static struct node *node_new(enum shape shape, struct node *child)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->shape = shape;
	n->child = child;
	return n;
}

static void node_free(struct node *n)
{
	while (n) {
		struct node *next = n->next;
		node_free(n->child);
		free(n);
		n = next;
	}
}

static struct node *parse_choice(struct compiler *c);

static struct node *parse_bracket(struct compiler *c)
{
	bool option = at_sign(c, '[');

	if (++c->depth > 16)
		fail(c, "too deep");
	advance(c);
	struct node *inner = parse_choice(c);
	if (!at_sign(c, option ? ']' : ')'))
		fail(c, "a bracket does not close");
	advance(c);
	c->depth--;
	if (!option)
		return inner;
	if (c->token.kind == TOKEN_REPEAT && inner->shape == SHAPE_CHOICE) {
		advance(c);
		inner->shape = SHAPE_ANY_ORDER;
		return inner;
	}
	if (c->token.kind == TOKEN_REPEAT) {
		advance(c);
		inner = node_new(SHAPE_REPEAT, inner);
	}
	return node_new(SHAPE_OPTION, inner);
}

static struct node *parse_element(struct compiler *c)
{
	struct node *n;

	if (at_sign(c, '[') || at_sign(c, '(')) {
		n = parse_bracket(c);
	} else if (c->token.kind == TOKEN_KEYWORD || c->token.kind == TOKEN_VALUE) {
		n = node_new(c->token.kind == TOKEN_VALUE ? SHAPE_VALUE : SHAPE_KEYWORD, NULL);
		n->token = c->token;
		advance(c);
	} else {
		fail(c, "unexpected sign");
		return node_new(SHAPE_SEQUENCE, NULL);
	}
	if (c->token.kind == TOKEN_REPEAT) {
		advance(c);
		n = node_new(SHAPE_REPEAT, n);
	}
	return n;
}

static struct node *parse_sequence(struct compiler *c)
{
	struct node *sequence = node_new(SHAPE_SEQUENCE, NULL), **end = &sequence->child;

	while (!c->failed && c->token.kind != TOKEN_END && !at_sign(c, '|') && !at_sign(c, ']') && !at_sign(c, ')')) {
		*end = parse_element(c);
		end = &(*end)->next;
	}
	return sequence;
}

static struct node *parse_choice(struct compiler *c)
{
	struct node *first = parse_sequence(c), **end = &first->next;

	while (!c->failed && at_sign(c, '|')) {
		advance(c);
		*end = parse_sequence(c);
		end = &(*end)->next;
	}
	return first->next ? node_new(SHAPE_CHOICE, first) : first;
}

/* ---- the tree as instructions ---- */

/* Append an instruction; returns its number, to fill in later where it leads. */
static unsigned emit(struct compiler *c, enum op op, unsigned x)
{
	if (c->g->n == GRAMMAR_LONGEST)
		fail(c, "too long");
	if (c->failed)
		return 0;
	*GROW(&c->g->code, &c->g->n) = (struct instruction){ .op = op, .x = x };
	return (unsigned)c->g->n - 1;
}

static unsigned here(const struct compiler *c)
{
	return (unsigned)c->g->n;
}

static void emit_word(struct compiler *c, const struct node *n)
{
	const struct token *t = &n->token;
	const struct type *type = NULL;

	if (n->shape == SHAPE_VALUE) {
		_cleanup_free_ char *name = t->type ? xstrndup(t->type, (size_t)t->type_length) : xstrdup("word");
		type = c->find_type(name);
		if (!type && !c->failed) {
			err_set(c->err, 0, "grammar: no type %s", name);
			c->failed = true;
		}
	}
	unsigned at = emit(c, n->shape == SHAPE_VALUE ? OP_VALUE : OP_KEYWORD, 0);
	if (c->failed)
		return;
	c->g->code[at].type = type;
	c->g->code[at].name = xstrndup(t->at, (size_t)t->name);
	c->g->code[at].shown = xstrndup(t->at, (size_t)t->length);
}

static void emit_node(struct compiler *c, const struct node *n);

/* Each alternative but the last is the preferred way of a SPLIT. ANY_ORDER goes back to its start after each, and the last
 * alternative's SPLIT leads out. */
static void emit_choice(struct compiler *c, const struct node *n)
{
	bool any_order = n->shape == SHAPE_ANY_ORDER;
	unsigned start = here(c), jumps[GRAMMAR_LONGEST], n_jumps = 0;

	for (const struct node *a = n->child; a && !c->failed; a = a->next) {
		bool split = a->next || any_order;
		unsigned at = split ? emit(c, OP_SPLIT, here(c) + 1) : 0;
		if (any_order)
			emit(c, OP_ONCE, c->g->bits++);
		emit_node(c, a);
		unsigned jump = emit(c, OP_JUMP, start);
		if (!any_order && !c->failed)
			jumps[n_jumps++] = jump;
		if (split && !c->failed)
			c->g->code[at].y = here(c);
	}
	while (n_jumps > 0 && !c->failed)
		c->g->code[jumps[--n_jumps]].x = here(c);
	if (c->g->bits > 64)
		fail(c, "too many alternatives");
}

static void emit_node(struct compiler *c, const struct node *n)
{
	unsigned start = here(c), at;

	switch (n->shape) {
	case SHAPE_KEYWORD:
	case SHAPE_VALUE:
		emit_word(c, n);
		break;
	case SHAPE_SEQUENCE:
		for (const struct node *k = n->child; k && !c->failed; k = k->next)
			emit_node(c, k);
		break;
	case SHAPE_CHOICE:
	case SHAPE_ANY_ORDER:
		emit_choice(c, n);
		break;
	case SHAPE_OPTION:
		at = emit(c, OP_SPLIT, start + 1);
		emit_node(c, n->child);
		if (!c->failed)
			c->g->code[at].y = here(c);
		break;
	case SHAPE_REPEAT:
		emit_node(c, n->child);
		at = emit(c, OP_SPLIT, start);
		if (!c->failed)
			c->g->code[at].y = here(c);
		break;
	}
}

/* Add to the stops of TO what is reached from AT. False when a ONCE stands in the way. */
static bool add_stops(const struct grammar *g, struct instruction *to, unsigned at)
{
	uint64_t bit = UINT64_C(1) << (at % 64);
	const struct instruction *i = &g->code[at];

	if (to->seen[at / 64] & bit)
		return true;
	to->seen[at / 64] |= bit;
	if (i->op == OP_SPLIT)
		return add_stops(g, to, i->x) && add_stops(g, to, i->y);
	if (i->op == OP_JUMP)
		return add_stops(g, to, i->x);
	if (i->op != OP_ONCE)
		to->stops[to->n_stops++] = (unsigned short)at;
	return i->op != OP_ONCE;
}

static void work_out_stops(struct grammar *g)
{
	for (unsigned at = 0; at < g->n; at++) {
		struct instruction *i = &g->code[at];
		if (at > 0 && i[-1].op != OP_KEYWORD && i[-1].op != OP_VALUE)
			continue;
		i->stops = xcalloc(g->n, sizeof *i->stops);
		if (!add_stops(g, i, at)) {
			i->n_stops = 0;
			memset(i->seen, 0, sizeof i->seen);
		}
	}
}

static bool leads_to_end(const struct grammar *g, unsigned at)
{
	while (g->code[at].op == OP_JUMP && g->code[at].x > at)
		at = g->code[at].x;
	return g->code[at].op == OP_END;
}

struct grammar *grammar_compile(const char *text, const struct type *(*find_type)(const char *name), struct err *err)
{
	struct grammar *g = xcalloc(1, sizeof *g);
	struct compiler c = { .g = g, .text = text, .find_type = find_type, .err = err };

	advance(&c);
	struct node *tree = parse_choice(&c);
	if (c.token.kind != TOKEN_END)
		fail(&c, "a bracket was never opened");
	if (!c.failed)
		emit_node(&c, tree);
	emit(&c, OP_END, 0);
	node_free(tree);
	for (unsigned i = 0; i < g->n && !c.failed; i++)
		if (g->code[i].type && g->code[i].type->all && !leads_to_end(g, i + 1))
			fail(&c, "something follows a value that takes all words");
	if (c.failed)
		grammar_free(&g);
	else
		work_out_stops(g);
	return g;
}

void grammar_free(struct grammar **g)
{
	if (!*g)
		return;
	for (size_t i = 0; i < (*g)->n; i++) {
		free((*g)->code[i].name);
		free((*g)->code[i].shown);
		free((*g)->code[i].stops);
	}
	free((*g)->code);
	free(*g);
	*g = NULL;
}
