/*
 * word.c - one word with its quotes, escapes and variables
 */
#include "config.h"

#include <ctype.h>

#include "base/buf.h"
#include "lang/lexer.h"

/* A character of several bytes outside quotes. */
enum step lexer_wide(struct lexer *l, struct err *err)
{
	size_t n = utf8_length(l->data + l->at.pos);

	if (n == 0 && !l->lenient)
		return FAIL(l, &l->at, err, "byte 0x%02x is not UTF-8", (unsigned char)l->data[l->at.pos]);
	if (n == 0)
		n = 1;
	memcpy(l->text + l->text_len, l->data + l->at.pos, n);
	l->text_len += n;
	l->at.pos += n;
	l->at.wide += n - 1;
	return STEP_OK;
}

/* Copy N bytes of a quoted part as they are. */
static void take(struct lexer *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		l->at.wide += ((unsigned char)l->data[l->at.pos + i] & 0xc0) == 0x80;
	memcpy(l->text + l->text_len, l->data + l->at.pos, n);
	l->text_len += n;
	l->at.pos += n;
}

/* The name after $ at the cursor: its start and length; the cursor moves behind it. Length 0: the $ stands for itself. */
static enum step variable_name(struct lexer *l, size_t *start, size_t *length, struct err *err)
{
	struct cursor dollar = l->at;
	const char *s = l->data + l->at.pos + 1;
	bool brace = *s == '{';

	s += brace;
	*start = (size_t)(s - l->data);
	*length = 0;
	if (!isdigit((unsigned char)*s))
		while (is(s[*length], NAME))
			++*length;
	if (*length && (!brace || s[*length] == '}')) {
		l->at.pos = *start + *length + brace;
		return STEP_OK;
	}
	if ((brace || (*s && strchr("(?$!@*#-0123456789", *s))) && !l->lenient) {
		FAIL(l, &dollar, err, brace ? "${ is not followed by NAME}" : "$%c is not supported", *s);
		err_try(err, "'$' in single quotes, or a variable as $NAME or ${NAME}");
		return STEP_FAIL;
	}
	*length = 0;
	return STEP_OK;
}

static enum step expand(struct lexer *l, struct err *err)
{
	struct cursor dollar = l->at;
	size_t start, length;
	char name[256];
	const char *value = NULL;

	if (variable_name(l, &start, &length, err) == STEP_FAIL)
		return STEP_FAIL;
	if (length == 0) {
		take(l, 1);
		return STEP_OK;
	}
	if (length < sizeof name) {
		memcpy(name, l->data + start, length);
		name[length] = '\0';
		value = l->lookup ? l->lookup(l->arg, name) : NULL;
	}
	if (!value && l->lenient) {
		size_t n = l->at.pos - dollar.pos;
		l->at = dollar;
		take(l, n);
		return STEP_OK;
	}
	if (!value) {
		FAIL(l, &dollar, err, "%.*s is not set", length > 64 ? 64 : (int)length, l->data + start);
		err_try(err, length < sizeof name ? "set %s VALUE" : "a shorter name", name);
		return STEP_FAIL;
	}
	size_t n = strlen(value);
	if (l->text_len + n > LINE_LONGEST)
		return lexer_fail_long(l, err);
	lexer_reserve(l, n + (l->eol - l->at.pos) + 2);
	memcpy(l->text + l->text_len, value, n);
	l->text_len += n;
	return STEP_OK;
}

static enum step single_quoted(struct lexer *l, struct err *err)
{
	struct cursor opened = l->at;

	l->at.pos++;
	for (;;) {
		const char *s = l->data + l->at.pos, *end = memchr(s, '\'', l->eol - l->at.pos);
		size_t n = end ? (size_t)(end - s) : l->eol - l->at.pos;
		const char *nul = memchr(s, '\0', n);
		if (nul) {
			take(l, (size_t)(nul - s));
			return lexer_fail_nul(l, err);
		}
		take(l, n);
		if (end) {
			l->at.pos++;
			return STEP_OK;
		}
		if (l->eol >= l->len && l->lenient)
			return STEP_OK;
		enum step step = lexer_cross(l, &opened, err);
		if (step != STEP_OK)
			return step;
		l->text[l->text_len++] = '\n';
		lexer_reserve(l, l->eol - l->at.pos + 2);
	}
}

/* A backslash: *SPECIALS are the characters it can take the meaning of, or NULL for all. */
static enum step escaped(struct lexer *l, const char *specials, const struct cursor *opened, struct err *err)
{
	size_t next = l->at.pos + 1;

	if (next < l->eol && is_cr(l, next))
		next++;
	if (next >= l->eol) {
		if (l->eol >= l->len && l->lenient) {
			l->at.pos = l->eol;
			return STEP_OK;
		}
		return lexer_cross(l, opened, err);
	}
	if (specials && !strchr(specials, l->data[next])) {
		take(l, 1);
		return STEP_OK;
	}
	if (l->data[next] == '\0') {
		l->at.pos = next;
		return lexer_fail_nul(l, err);
	}
	l->at.pos++;
	if (!specials && (unsigned char)l->data[next] >= 0x80)
		return lexer_wide(l, err);
	take(l, 1);
	return STEP_OK;
}

static enum step double_quoted(struct lexer *l, struct err *err)
{
	struct cursor opened = l->at;
	enum step step = STEP_OK;

	l->at.pos++;
	while (step == STEP_OK) {
		size_t run = l->at.pos;
		while (!is(l->data[run], DOUBLE))
			run++;
		take(l, run - l->at.pos);
		char c = l->data[l->at.pos];
		if (c == '"') {
			l->at.pos++;
			return STEP_OK;
		} else if (c == '\\') {
			step = escaped(l, "$`\"\\", &opened, err);
		} else if (c == '$') {
			step = expand(l, err);
		} else if (l->at.pos < l->eol) {
			return lexer_fail_nul(l, err);
		} else if (l->eol >= l->len && l->lenient) {
			return STEP_OK;
		} else {
			step = lexer_cross(l, &opened, err);
			if (step == STEP_OK)
				l->text[l->text_len++] = '\n';
		}
		if (step == STEP_OK)
			lexer_reserve(l, l->eol - l->at.pos + 2);
	}
	return step;
}

/* Things of sh that belljar has not, where the word that began at FIRST shows one. */
static enum step refuse_sh(struct lexer *l, const struct cursor *first, struct err *err)
{
	const char *s = l->data + first->pos;
	size_t n = l->at.pos - first->pos;

	if (*s == '<') {
		FAIL(l, first, err, "< is not supported: commands read no input");
		err_try(err, "run sh -c '... < FILE', or quotes around the word");
	} else if (*s != '&') {
		size_t digits = strspn(s, "0123456789");
		if (s[digits] != '>')
			return STEP_OK;
		int n_digits = digits > 9 ? 9 : (int)digits;
		FAIL(l, first, err, "%.*s> is not supported: only a command's output can go to a file", n_digits, s);
		err_try(err, "run sh -c '... 2> FILE', or quotes around the word");
	} else if (n == 1) {
		FAIL(l, first, err, "& is not supported");
		err_try(err, "run -d PROGRAM for the background, or quotes around the word");
	} else if (n == 2 && s[1] == '&') {
		FAIL(l, first, err, "&& is not supported");
		err_try(err, "; between commands (a script stops at the first failure), or quotes around the word");
	} else if (s[1] == '>') {
		FAIL(l, first, err, "&> is not supported");
		err_try(err, "> FILE");
	} else {
		return STEP_OK;
	}
	return STEP_FAIL;
}

struct word *lexer_new_word(struct lexer *l)
{
	if (l->n == l->words_room) {
		l->words_room = l->words_room ? l->words_room * 2 : 16;
		l->words = xreallocarray(l->words, l->words_room, sizeof *l->words);
	}
	struct word *w = &l->words[l->n++];
	*w = (struct word){ .line = l->at.line, .column = lexer_column(&l->at), .start = (unsigned)(l->at.pos - l->start.pos) };
	return w;
}

enum step lexer_word(struct lexer *l, struct err *err)
{
	struct cursor first = l->at;
	struct word *w = lexer_new_word(l);
	size_t text_start = l->text_len;
	enum step step = STEP_OK;

	while (step == STEP_OK) {
		const char *s = l->data + l->at.pos;
		char *t = l->text + l->text_len;
		while (!is(*s, SPECIAL))
			*t++ = *s++;
		l->text_len = (size_t)(t - l->text);
		l->at.pos = (size_t)(s - l->data);
		if (l->at.pos >= l->eol || is(*s, BLANK) || *s == ';' || is_cr(l, l->at.pos))
			break;
		if (*s == '\\' || *s == '\'' || *s == '"')
			w->quoted = true;
		if (*s == '\\')
			step = escaped(l, NULL, NULL, err);
		else if (*s == '\'')
			step = single_quoted(l, err);
		else if (*s == '"')
			step = double_quoted(l, err);
		else if (*s == '$')
			step = expand(l, err);
		else if (*s == '\0')
			step = lexer_fail_nul(l, err);
		else if (*s == '\r')
			take(l, 1);
		else
			step = lexer_wide(l, err);
	}
	if (step != STEP_OK)
		return step;
	w->length = (unsigned)(l->text_len - text_start);
	w->end = (unsigned)(l->at.pos - l->start.pos);
	l->text[l->text_len++] = '\0';
	if (l->text_len > LINE_LONGEST)
		return lexer_fail_long(l, err);
	char c = l->data[first.pos];
	if ((c == '&' || c == '<' || isdigit((unsigned char)c)) && !w->quoted && !l->lenient)
		return refuse_sh(l, &first, err);
	return STEP_OK;
}
