/*
 * table.h - rows for people, documents for programs
 *
 * A looking command fills a table once; it is printed as aligned columns, or with --json as one array of objects whose keys are
 * the columns' keys. Text from outside is made visible (buf_visible) on the way out.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct column {
	const char *head;      /* "NAME"; NULL = only in JSON */
	const char *key;       /* "name" */
	enum { COL_TEXT, COL_NUMBER, COL_BOOL, COL_LIST } type;   /* LIST: words separated by spaces, an array in JSON */
};

struct table;

struct table *table_new(const struct column *columns, size_t n);
void table_free(struct table **t);
#define _cleanup_table_ __attribute__((cleanup(table_free)))

/* Start a row, then give its cells in order; NULL is null in JSON and "-" for people. Strings are copied. */
void table_row(struct table *t);
void table_cell(struct table *t, const char *text);
void table_fmt(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void table_print(const struct table *t, FILE *out, bool json);

#endif
