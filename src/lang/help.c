/*
 * help.c - help and man text from the rows of commands
 */
#include "config.h"

#include <ctype.h>

#include "base/buf.h"
#include "lang/grammar.h"

enum { WIDTH = 78 };

/* ---- for people at a terminal ---- */

void command_usage(const struct command *c, struct buf *out)
{
	const char *text = c->grammar ? c->grammar : "";

	buf_str(out, c->name);
	for (struct token t = grammar_token(&text), before = { 0 }; t.kind != TOKEN_END; before = t, t = grammar_token(&text)) {
		if (t.spaced || !before.at)
			buf_char(out, ' ');
		buf_bytes(out, t.at, (size_t)t.length);
	}
}

/* One paragraph, N bytes at S, filled into lines that begin with INDENT blanks, HANG more after the first. Marks are left out. */
static void fill(FILE *out, const char *s, size_t n, int indent, int hang)
{
	int column = 0;
	const char *end = s + n;

	while (s < end) {
		_cleanup_buf_ struct buf word = { 0 };
		int width = 0;
		for (; s < end && !isspace((unsigned char)*s); s++)
			if (*s != '`' && *s != '*') {
				buf_char(&word, *s);
				width += (*s & 0xc0) != 0x80;
			}
		while (s < end && isspace((unsigned char)*s))
			s++;
		if (width == 0)
			continue;
		if (column > 0 && column + 1 + width > WIDTH) {
			fputc('\n', out);
			column = 0;
			indent += hang;
			hang = 0;
		}
		int blanks = column ? 1 : indent;
		fprintf(out, "%*s%s", blanks, "", buf_text(&word));
		column += blanks + width;
	}
	if (column)
		fputc('\n', out);
}

/* The next paragraph of *TEXT: its start and length. NULL at the end. */
static const char *paragraph(const char **text, size_t *n)
{
	const char *start = *text + strspn(*text, "\n");
	const char *end = strstr(start, "\n\n");

	if (!*start)
		return NULL;
	*n = end ? (size_t)(end - start) : strlen(start);
	*text = start + *n;
	return start;
}

static void indented(FILE *out, const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		fprintf(out, "%s%.*s\n", n ? "    " : "", (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

void help_command(const struct command *c, FILE *out)
{
	_cleanup_buf_ struct buf usage = { 0 };
	const char *text = c->text ? c->text : "", *start;
	size_t n;

	command_usage(c, &usage);
	fill(out, buf_text(&usage), usage.len, 0, 8);
	fprintf(out, "    %s\n", c->brief);
	while ((start = paragraph(&text, &n))) {
		fputc('\n', out);
		fill(out, start, n, 0, 0);
	}
	if (c->examples && *c->examples) {
		fputs("\nExamples:\n", out);
		indented(out, c->examples);
	}
}

void help_all(FILE *out)
{
	const struct command *c;
	const char *group = NULL;
	int widest = 0;

	for (size_t i = 0; (c = command_at(i)); i++)
		if ((int)strlen(c->name) > widest)
			widest = (int)strlen(c->name);
	for (size_t i = 0; (c = command_at(i)); i++) {
		if (!group || !streq(group, c->group))
			fprintf(out, "%s%s\n", group ? "\n" : "", c->group);
		group = c->group;
		fprintf(out, "    %-*s  %s\n", widest, c->name, c->brief);
	}
	fputs("\nhelp COMMAND says more about one. PROGRAMS run inside with run; !COMMAND runs on the host.\n", out);
}

/* ---- mdoc ---- */

/* N bytes of text for a line of mdoc. LITERAL: hyphens are to be typed as they are. */
static void mdoc_text(FILE *out, const char *s, size_t n, bool literal)
{
	if (n && strchr(".'", *s))
		fputs("\\&", out);
	for (; n > 0; n--, s++) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '-' && literal)
			fputs("\\-", out);
		else
			fputc(*s, out);
	}
}

/* The words of N bytes as arguments of a macro; one that looks like a macro or a delimiter must not be taken for it. */
static void mdoc_arguments(FILE *out, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		size_t word = 0;
		while (s + word < end && !isspace((unsigned char)s[word]))
			word++;
		bool macro = word >= 2 && word <= 3 && isupper((unsigned char)s[0]) && islower((unsigned char)s[1]);
		fputs(macro || (word == 1 && ispunct((unsigned char)*s)) ? " \\&" : " ", out);
		for (size_t i = 0; i < word; i++) {
			if (s[i] == '"')
				fputs("\\(dq", out);
			else
				mdoc_text(out, s + i, 1, true);
		}
		s += word;
		while (s < end && isspace((unsigned char)*s))
			s++;
	}
}

static void mdoc_grammar(FILE *out, const char *text)
{
	static const struct { char sign; const char *macro; } signs[] = {
		{ '[', " Oo" }, { ']', " Oc" }, { '(', " Po" }, { ')', " Pc" }, { '|', " |" },
	};

	for (struct token t = grammar_token(&text); t.kind != TOKEN_END; t = grammar_token(&text)) {
		if (t.kind == TOKEN_REPEAT)
			fputs(" Ns ...", out);
		for (size_t i = 0; t.kind == TOKEN_SIGN && i < ARRAY_SIZE(signs); i++)
			if (*t.at == signs[i].sign)
				fputs(signs[i].macro, out);
		if (t.kind != TOKEN_KEYWORD && t.kind != TOKEN_VALUE)
			continue;
		fputs(t.kind == TOKEN_VALUE ? " Ar" : " Cm", out);
		mdoc_arguments(out, t.at, (size_t)t.length);
	}
}

/* A piece of a paragraph: a word, or a marked span with what touches it. */
struct piece {
	const char *lead, *span, *trail, *end;   /* trail begins behind the closing mark; span NULL: a plain word, lead to end */
	char mark;
};

static struct piece next_piece(const char *s, const char *end)
{
	struct piece p = { .lead = s };

	while (s < end && !isspace((unsigned char)*s)) {
		const char *close = (*s == '`' || *s == '*') && s + 1 < end && !isspace((unsigned char)s[1])
					    ? memchr(s + 1, *s, (size_t)(end - s - 1)) : NULL;
		if (!p.span && close) {
			p.mark = *s;
			p.span = s + 1;
			p.trail = close + 1;
			s = close;
		}
		s++;
	}
	p.end = s;
	return p;
}

static void mdoc_span(FILE *out, const struct piece *p)
{
	size_t lead = (size_t)(p->span - 1 - p->lead), trail = (size_t)(p->end - p->trail);
	const char *macro = p->mark == '`' ? "Ql" : "Em";

	if (lead && strspn(p->lead, "([") < lead) {
		fputs(".No", out);
		mdoc_arguments(out, p->lead, lead);
		fprintf(out, " Ns %s", macro);
	} else {
		fprintf(out, ".%s", macro);
		for (size_t i = 0; i < lead; i++)
			fprintf(out, " %c", p->lead[i]);
	}
	mdoc_arguments(out, p->span, (size_t)(p->trail - 1 - p->span));
	if (strspn(p->trail, ".,:;?!)]") >= trail) {
		for (size_t i = 0; i < trail; i++)
			fprintf(out, " %c", p->trail[i]);
	} else {
		fputs(" Ns", out);
		mdoc_arguments(out, p->trail, trail);
	}
	fputc('\n', out);
}

/* One paragraph: lines of text, each span on a line of its own, each sentence on a new line. */
static void mdoc_paragraph(FILE *out, const char *s, size_t n)
{
	const char *end = s + n;
	size_t column = 0;

	while (s < end) {
		struct piece p = next_piece(s, end);
		size_t width = (size_t)(p.end - p.lead);
		if (column && (p.span || column + 1 + width > 72)) {
			fputc('\n', out);
			column = 0;
		}
		if (p.span) {
			mdoc_span(out, &p);
		} else {
			if (column)
				fputc(' ', out);
			mdoc_text(out, p.lead, width, false);
			column += width + (column > 0);
			if (width && strchr(".?!", p.end[-1])) {
				fputc('\n', out);
				column = 0;
			}
		}
		s = p.end;
		while (s < end && isspace((unsigned char)*s))
			s++;
	}
	if (column)
		fputc('\n', out);
}

void help_mdoc_text(FILE *out, const char *text)
{
	const char *start;
	size_t n;

	for (bool first = true; (start = paragraph(&text, &n)); first = false) {
		if (!first)
			fputs(".Pp\n", out);
		mdoc_paragraph(out, start, n);
	}
}

static void mdoc_examples(FILE *out, const char *lines)
{
	fputs(".Bd -literal -offset indent\n", out);
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		mdoc_text(out, lines, n, true);
		fputc('\n', out);
		lines += n + (lines[n] == '\n');
	}
	fputs(".Ed\n", out);
}

static void mdoc_command(FILE *out, const struct command *c)
{
	const char *text = c->text ? c->text : "";

	fprintf(out, ".It Ic %s", c->name);
	mdoc_grammar(out, c->grammar ? c->grammar : "");
	fputc('\n', out);
	_cleanup_free_ char *brief = xasprintf("%c%s.", toupper((unsigned char)c->brief[0]), c->brief + 1);
	mdoc_paragraph(out, brief, strlen(brief));
	help_mdoc_text(out, text);
	if (c->examples && *c->examples)
		mdoc_examples(out, c->examples);
}

void help_mdoc(FILE *out)
{
	const struct command *c;
	const char *group = NULL;

	for (size_t i = 0; (c = command_at(i)); i++) {
		if (!group || !streq(group, c->group)) {
			if (group)
				fputs(".El\n", out);
			fprintf(out, ".Ss %c%s\n.Bl -tag -width indent\n", toupper((unsigned char)c->group[0]), c->group + 1);
			group = c->group;
		}
		mdoc_command(out, c);
	}
	if (group)
		fputs(".El\n", out);
}
