/*
 * table.c - rows for people, documents for programs
 */
#include "config.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/table.h"

struct table {
	const struct column *columns;
	size_t n_columns;
	char **cells;          /* row after row */
	size_t n_cells;
};

struct table *table_new(const struct column *columns, size_t n)
{
	struct table *t = xcalloc(1, sizeof *t);

	t->columns = columns;
	t->n_columns = n;
	return t;
}

void table_free(struct table **t)
{
	if (!*t)
		return;
	for (size_t i = 0; i < (*t)->n_cells; i++)
		free((*t)->cells[i]);
	free((*t)->cells);
	free(*t);
	*t = NULL;
}

void table_row(struct table *t)
{
	while (t->n_cells % t->n_columns)
		table_cell(t, NULL);
}

void table_cell(struct table *t, const char *text)
{
	char *copy = xstrdup(text);

	*GROW(&t->cells, &t->n_cells) = copy;
}

void table_fmt(struct table *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);
	va_end(ap);
	*GROW(&t->cells, &t->n_cells) = text;
}

static const char *cell(const struct table *t, size_t row, size_t column)
{
	size_t at = row * t->n_columns + column;

	return at < t->n_cells ? t->cells[at] : NULL;
}

static void value(struct json *j, const struct column *column, const char *text)
{
	if (!text) {
		json_str(j, NULL);
	} else if (column->type == COL_NUMBER) {
		json_int(j, strtoll(text, NULL, 10));
	} else if (column->type == COL_BOOL) {
		json_bool(j, streq(text, "yes"));
	} else if (column->type == COL_LIST) {
		json_words(j, text);
	} else {
		json_str(j, text);
	}
}

static void print_json(const struct table *t, size_t rows, FILE *out)
{
	struct json j = { .out = out };

	json_open(&j, '[');
	for (size_t r = 0; r < rows; r++) {
		json_open(&j, '{');
		for (size_t c = 0; c < t->n_columns; c++) {
			json_key(&j, t->columns[c].key);
			value(&j, &t->columns[c], cell(t, r, c));
		}
		json_close(&j, '}');
	}
	json_close(&j, ']');
}

/* How many columns of the screen S takes: its characters, not its bytes. */
static int width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static char *shown(const char *text)
{
	struct buf b = { 0 };

	buf_visible(&b, text ? text : "-");
	return buf_take(&b);
}

static void print_line(FILE *out, const struct table *t, char **texts, const int *widths)
{
	int gap = 0;

	for (size_t c = 0; c < t->n_columns; c++) {
		if (!t->columns[c].head)
			continue;
		int pad = widths[c] - width(texts[c]);
		bool right = t->columns[c].type == COL_NUMBER;
		/* The gap before a cell is written with the cell, so that no line ends in spaces. */
		fprintf(out, "%*s%s", gap + (right ? pad : 0), "", texts[c]);
		gap = 2 + (right ? 0 : pad);
	}
	fputc('\n', out);
}

void table_print(const struct table *t, FILE *out, bool json)
{
	size_t rows = (t->n_cells + t->n_columns - 1) / t->n_columns, n = t->n_columns;

	if (json) {
		print_json(t, rows, out);
		return;
	}
	_cleanup_free_ char **texts = xcalloc((rows + 1) * n, sizeof *texts);
	_cleanup_free_ int *widths = xcalloc(n, sizeof *widths);
	for (size_t r = 0; r <= rows; r++)
		for (size_t c = 0; c < n; c++) {
			char **at = &texts[r * n + c];
			*at = shown(r == 0 ? (t->columns[c].head ? t->columns[c].head : "") : cell(t, r - 1, c));
			if (width(*at) > widths[c])
				widths[c] = width(*at);
		}
	for (size_t r = 0; r <= rows; r++)
		print_line(out, t, &texts[r * n], widths);
	for (size_t i = 0; i < (rows + 1) * n; i++)
		free(texts[i]);
}
