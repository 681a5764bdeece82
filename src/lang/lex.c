/*
 * lex.c - lines into words
 *
 * How it works: input is kept in one buffer and looked at only up to a newline that is there (find_eol), so nothing ever has to
 * be scanned a second time except a command that spans several lines when its next line has not been fed yet; then the cursor
 * goes back to the command's start. Words are collected in two scratch arrays that live as long as the lexer (words, text); a
 * finished command is copied out in one allocation (finish). The text of words can't outgrow the input it is made from except
 * by variables, so room for it is made once a line and once a variable, not once a character.
 */
#include "config.h"

#include "base/buf.h"
#include "lang/lexer.h"

const unsigned char lexer_class[256] = {
	['\0'] = SPECIAL | DOUBLE, ['\n'] = SPECIAL | DOUBLE, [' '] = BLANK | SPECIAL, ['\t'] = BLANK | SPECIAL, ['\r'] = SPECIAL,
	[';'] = SPECIAL, ['\''] = SPECIAL, ['"'] = SPECIAL | DOUBLE, ['\\'] = SPECIAL | DOUBLE, ['$'] = SPECIAL | DOUBLE,
	['0' ... '9'] = NAME, ['A' ... 'Z'] = NAME, ['a' ... 'z'] = NAME, ['_'] = NAME,
	[0x80 ... 0xff] = SPECIAL,
};

struct lexer *lex_new(lex_lookup *lookup, void *arg)
{
	struct lexer *l = xcalloc(1, sizeof *l);

	l->lookup = lookup;
	l->arg = arg;
	l->at.line = 1;
	lexer_reserve(l, 256);
	return l;
}

void lex_free(struct lexer *l)
{
	if (!l)
		return;
	free(l->data);
	free(l->words);
	free(l->text);
	free(l);
}

void lex_reset(struct lexer *l)
{
	l->at = (struct cursor){ .line = l->at.line };
	l->len = l->scanned = 0;
	l->eol_known = l->skip = l->begun = l->inside = false;
}

bool lex_inside(const struct lexer *l)
{
	return l->inside;
}

/* Drop the bytes that were used, so that the buffer holds one unfinished command at most. */
static void compact(struct lexer *l)
{
	size_t gone = l->at.pos;

	if (gone == 0)
		return;
	l->len -= gone;
	memmove(l->data, l->data + gone, l->len);
	l->at.pos = 0;
	l->at.line_start -= gone;
	l->eol -= gone;
	l->scanned = l->scanned > gone ? l->scanned - gone : 0;
}

void lex_feed(struct lexer *l, const char *data, size_t n, bool last)
{
	if (l->skip) {
		const char *newline = n ? memchr(data, '\n', n) : NULL;
		size_t drop = newline ? (size_t)(newline + 1 - data) : n;
		l->skip = !newline;
		l->at.line += newline != NULL;
		data += drop;
		n -= drop;
	}
	compact(l);
	if (l->len + n + 1 > l->room) {
		l->room = l->len + n + 1 + l->len / 2;
		l->data = xreallocarray(l->data, l->room, 1);
	}
	if (n)
		memcpy(l->data + l->len, data, n);
	l->len += n;
	l->data[l->len] = '\0';
	l->last |= last;
}

void lexer_reserve(struct lexer *l, size_t size)
{
	if (l->text_len + size <= l->text_room)
		return;
	l->text_room = (l->text_len + size) * 2;
	l->text = xreallocarray(l->text, l->text_room, 1);
}

enum step lexer_fail(struct lexer *l, const struct cursor *c, struct err *err)
{
	l->error = *c;
	if (err)
		err->column = lexer_column(c);
	return STEP_FAIL;
}

enum step lexer_fail_long(struct lexer *l, struct err *err)
{
	return FAIL(l, &l->at, err, "command is longer than %d bytes", LINE_LONGEST);
}

enum step lexer_fail_nul(struct lexer *l, struct err *err)
{
	return FAIL(l, &l->at, err, "NUL byte");
}

/* Find the end of the line at the cursor. STEP_STOP when its newline has not been fed yet. */
static enum step find_eol(struct lexer *l, struct err *err)
{
	if (l->eol_known)
		return STEP_OK;
	size_t from = l->scanned > l->at.pos ? l->scanned : l->at.pos;
	const char *newline = l->len > from ? memchr(l->data + from, '\n', l->len - from) : NULL;
	l->eol = newline ? (size_t)(newline - l->data) : l->len;
	l->scanned = l->eol;
	if (l->eol - l->at.pos > LINE_LONGEST)
		return lexer_fail_long(l, err);
	if (!newline && !l->last)
		return STEP_STOP;
	lexer_reserve(l, l->eol - l->at.pos + 2);
	l->eol_known = true;
	return STEP_OK;
}

static void next_line(struct lexer *l)
{
	l->at.pos = l->eol + 1;
	l->at.line++;
	l->at.line_start = l->at.pos;
	l->at.wide = 0;
	l->eol_known = l->comment = false;
}

enum step lexer_cross(struct lexer *l, const struct cursor *opened, struct err *err)
{
	if (l->eol >= l->len) {
		if (!opened)
			return FAIL(l, &l->at, err, "input ends after a backslash");
		return FAIL(l, opened, err, "unterminated %c (opened at %d:%d)", l->data[opened->pos], opened->line,
			    lexer_column(opened));
	}
	next_line(l);
	if (l->at.pos - l->start.pos > LINE_LONGEST)
		return lexer_fail_long(l, err);
	return find_eol(l, err);
}

/* The rest of the line as written, with the lines it continues on: for the host's shell. Put behind the words' text. */
static enum step rest_of_line(struct lexer *l, char after, struct err *err)
{
	struct cursor sign = l->at;
	size_t from;

	l->at.pos++;
	while (is(l->data[l->at.pos], BLANK))
		l->at.pos++;
	from = l->at.pos;
	for (;;) {
		size_t end = l->eol;
		if (end > l->at.pos && is_cr(l, end - 1) && l->eol < l->len)
			end--;
		const char *nul = memchr(l->data + l->at.pos, '\0', end - l->at.pos);
		if (nul) {
			l->at.pos = (size_t)(nul - l->data);
			return lexer_fail_nul(l, err);
		}
		size_t slashes = 0;
		while (end - slashes > l->at.pos && l->data[end - slashes - 1] == '\\')
			slashes++;
		l->at.pos = end;
		if (slashes % 2 == 0 || l->eol >= l->len)
			break;
		enum step step = lexer_cross(l, NULL, err);
		if (step != STEP_OK)
			return step;
	}
	while (l->at.pos > from && is(l->data[l->at.pos - 1], BLANK))
		l->at.pos--;
	if (l->at.pos == from && !l->lenient)
		return FAIL(l, &sign, err, "a host command is missing after %c", after);
	lexer_reserve(l, l->at.pos - from + 1);
	memcpy(l->text + l->text_len, l->data + from, l->at.pos - from);
	l->text_len += l->at.pos - from;
	l->text[l->text_len++] = '\0';
	return STEP_OVER;
}

/* > FILE or >> FILE: the word is the last of the line's words until finish takes it off. */
static enum step scan_file(struct lexer *l, struct line *out, struct err *err)
{
	struct cursor sign = l->at;

	l->at.pos++;
	out->append = l->data[l->at.pos] == '>';
	l->at.pos += out->append;
	while (is(l->data[l->at.pos], BLANK))
		l->at.pos++;
	char c = l->data[l->at.pos];
	if ((l->at.pos >= l->eol || c == ';' || c == '#' || is_cr(l, l->at.pos)) && !l->lenient)
		return FAIL(l, &sign, err, "a file name is missing after >");
	if ((c == '&' || c == '|' || c == '>') && !l->lenient)
		return FAIL(l, &sign, err, ">%c is not supported", c);
	out->file = "";
	return lexer_word(l, err);
}

/* Copy the scratch arrays and the source out in one piece. */
static void finish(struct lexer *l, struct line *out, size_t end)
{
	size_t words = l->n * sizeof *l->words, source = end - l->start.pos;
	char *block = xmalloc(words + l->text_len + source + 1), *text = block + words;
	bool pipe = out->pipe, host = out->host, file = out->file;

	if (words)
		memcpy(block, l->words, words);
	memcpy(text, l->text, l->text_len);
	memcpy(text + l->text_len, l->data + l->start.pos, source);
	text[l->text_len + source] = '\0';
	out->block = block;
	out->words = (struct word *)(void *)block;
	out->n = l->n - file;
	out->source = text + l->text_len;
	for (size_t i = 0; i < l->n; i++) {
		out->words[i].text = text;
		text += out->words[i].length + 1;
	}
	out->file = file ? out->words[out->n].text : NULL;
	out->pipe = pipe ? text : NULL;
	out->host = host ? text : NULL;
}

static void begin(struct lexer *l, struct line *out)
{
	l->start = l->at;
	l->begun = true;
	out->line = l->at.line;
	out->column = lexer_column(&l->at);
}

/* What stands at the cursor, which is no blank and not the line's end. */
static enum step scan_item(struct lexer *l, struct line *out, struct err *err)
{
	char c = l->data[l->at.pos];

	if (l->n == 0)
		begin(l, out);
	if (c == '!' && l->n == 0) {
		out->host = "";
		return rest_of_line(l, c, err);
	}
	if (c != '|' && c != '>') {
		if (out->file)
			return FAIL(l, &l->at, err, "only the end of the command may follow > FILE");
		return lexer_word(l, err);
	}
	if (l->n == 0)
		return FAIL(l, &l->at, err, "no command before %c", c);
	if (out->file)
		return FAIL(l, &l->at, err, "output can go to one place only");
	if (c == '>')
		return scan_file(l, out, err);
	if (l->data[l->at.pos + 1] == '|' && !l->lenient) {
		FAIL(l, &l->at, err, "|| is not supported");
		return err_try(err, "belljar -k to go on after errors, or expect fails COMMAND"), STEP_FAIL;
	}
	out->pipe = "";
	return rest_of_line(l, c, err);
}

/* A comment is checked too: a file that is no text must not pass because a # stands before it. */
static enum step skip_comment(struct lexer *l, struct err *err)
{
	size_t keep = l->text_len;

	l->comment = true;
	while (l->at.pos < l->eol) {
		unsigned char c = (unsigned char)l->data[l->at.pos];
		if (c == '\0')
			return lexer_fail_nul(l, err);
		if (c < 0x80)
			l->at.pos++;
		else if (lexer_wide(l, err) == STEP_FAIL)
			return STEP_FAIL;
		l->text_len = keep;
	}
	return STEP_OK;
}

/* For completion: an empty word at the end, unless a word reaches to it. */
static void add_empty(struct lexer *l, struct line *out)
{
	if (l->n && l->start.pos + l->words[l->n - 1].end == l->at.pos)
		return;
	if (l->n == 0)
		begin(l, out);
	struct word *w = lexer_new_word(l);
	w->end = w->start;
	l->text[l->text_len++] = '\0';
}

/* Blanks, comments, empty lines and items until a command is complete. */
static enum step scan_command(struct lexer *l, struct line *out, struct err *err)
{
	enum step step = STEP_OK;

	while (step == STEP_OK) {
		step = find_eol(l, err);
		if (step != STEP_OK)
			return step;
		while (is(l->data[l->at.pos], BLANK))
			l->at.pos++;
		char c = l->data[l->at.pos];
		bool eol = l->at.pos >= l->eol;
		if (c == '#' && !eol) {
			step = skip_comment(l, err);
			continue;
		}
		if (!eol && c == '\r' && is_cr(l, l->at.pos)) {
			l->at.pos++;
			continue;
		}
		if (c == '\\' && !eol && (l->at.pos + 1 == l->eol || is_cr(l, l->at.pos + 1)) && l->eol < l->len) {
			/* A continued line between words, not a word that begins with a newline. */
			if (l->n == 0)
				begin(l, out);
			step = lexer_cross(l, NULL, err);
			continue;
		}
		if (!eol && c != ';') {
			step = scan_item(l, out, err);
			continue;
		}
		if (eol && l->eol >= l->len && l->lenient && !l->comment)
			add_empty(l, out);
		if (l->n)
			return STEP_OVER;
		if (eol && l->eol >= l->len)
			return STEP_STOP;
		if (eol)
			next_line(l);
		else
			l->at.pos++;
	}
	return step;
}

/* Fill OUT with the place and line of the error for its message, and go on behind that line. */
static void recover(struct lexer *l, struct line *out)
{
	enum { AROUND = 1024 };        /* bytes before and after the place that are kept of a very long line */
	size_t place = l->error.pos, start = place, end = place, characters = 0;

	while (start > 0 && l->data[start - 1] != '\n' && place - start < AROUND)
		start--;
	while (end < l->len && l->data[end] != '\n' && l->data[end] && end - place < AROUND)
		end++;
	for (size_t i = start; i < place; i++)
		characters += ((unsigned char)l->data[i] & 0xc0) != 0x80;
	*out = (struct line){ .line = l->error.line, .column = (int)(lexer_column(&l->error) - characters) };
	l->n = l->text_len = 0;
	l->start.pos = start;
	finish(l, out, end);
	if (!l->eol_known) {
		const char *newline = l->len > l->at.pos ? memchr(l->data + l->at.pos, '\n', l->len - l->at.pos) : NULL;
		l->eol = newline ? (size_t)(newline - l->data) : l->len;
	}
	if (l->eol < l->len) {
		next_line(l);
		return;
	}
	l->skip = !l->last;
	l->at = (struct cursor){ .pos = l->len, .line_start = l->len, .line = l->at.line };
	l->eol_known = false;
}

/* At the very start: skip a byte order mark. False while there is too little input to know. */
static bool skip_mark(struct lexer *l)
{
	static const char mark[3] = "\xef\xbb\xbf";
	size_t n = l->len < sizeof mark ? l->len : sizeof mark;

	if (memcmp(l->data, mark, n) == 0 && n < sizeof mark)
		return l->last;
	if (memcmp(l->data, mark, n) == 0)
		l->at.pos = l->at.line_start = sizeof mark;
	l->marked = true;
	return true;
}

enum lex_result lex_next(struct lexer *l, struct line *out, struct err *err)
{
	*out = (struct line){ 0 };
	l->n = l->text_len = 0;
	l->begun = l->inside = false;
	if (!l->data || (!l->marked && !skip_mark(l)))
		return l->last ? LEX_END : LEX_MORE;
	switch (scan_command(l, out, err)) {
	case STEP_OK:
	case STEP_OVER:
		finish(l, out, l->n && !out->pipe ? l->start.pos + l->words[l->n - 1].end : l->at.pos);
		return LEX_LINE;
	case STEP_FAIL:
		recover(l, out);
		return LEX_ERROR;
	case STEP_STOP:
		break;
	}
	*out = (struct line){ 0 };
	if (l->last)
		return LEX_END;
	if (l->begun) {
		l->at = l->start;
		l->scanned = 0;
		l->eol_known = false;
	}
	l->inside = l->at.pos < l->len;
	return LEX_MORE;
}

bool lex_partial(lex_lookup *lookup, void *arg, const char *text, size_t n, struct line *out)
{
	struct lexer *l = lex_new(lookup, arg);
	struct line next;
	struct err err;

	l->lenient = true;
	lex_feed(l, text, n, true);
	*out = (struct line){ 0 };
	for (;;) {
		enum lex_result result = lex_next(l, &next, &err);
		if (result == LEX_END)
			break;
		line_free(out);
		*out = next;
		if (result == LEX_ERROR || l->at.pos >= l->len)
			break;
	}
	bool comment = l->comment;
	lex_free(l);
	return out->n > 0 && !comment && !out->pipe && !out->file && !out->host;
}
