/*
 * json.c - writing JSON
 */
#include "config.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

static void before(struct json *j)
{
	if (j->comma && !j->keyed)
		fputc(',', j->out);
	j->comma = true;
	j->keyed = false;
}

void json_open(struct json *j, char bracket)
{
	before(j);
	fputc(bracket, j->out);
	j->depth++;
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
	if (--j->depth == 0) {
		fputc('\n', j->out);
		j->comma = false;
	}
}

static void quoted(FILE *out, const char *s)
{
	fputc('"', out);
	while (*s) {
		size_t n = utf8_length(s);
		unsigned char c = (unsigned char)*s;
		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(out, "\\u%04x", c);
		} else {
			fwrite(s, 1, n, out);
		}
		s += n;
	}
	fputc('"', out);
}

void json_key(struct json *j, const char *key)
{
	before(j);
	quoted(j->out, key);
	fputc(':', j->out);
	j->keyed = true;
}

void json_str(struct json *j, const char *s)
{
	before(j);
	if (s)
		quoted(j->out, s);
	else
		fputs("null", j->out);
}

void json_words(struct json *j, const char *words)
{
	_cleanup_free_ char *copy = xstrdup(words);
	char *rest = NULL;

	json_open(j, '[');
	for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		json_str(j, w);
	json_close(j, ']');
}

void json_int(struct json *j, int64_t n)
{
	before(j);
	fprintf(j->out, "%" PRId64, n);
}

void json_bool(struct json *j, bool b)
{
	before(j);
	fputs(b ? "true" : "false", j->out);
}
