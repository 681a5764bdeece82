/*
 * json.h - writing JSON
 *
 * A streaming writer that puts commas and escapes by itself. Bytes that are not UTF-8 become U+FFFD.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	int depth;
	bool comma;            /* something stands before on this level */
	bool keyed;            /* a key was written, its value comes next */
};

void json_open(struct json *j, char bracket);             /* '{' or '[' */
void json_close(struct json *j, char bracket);            /* '}' or ']'; the outermost adds a newline */
void json_key(struct json *j, const char *key);
void json_str(struct json *j, const char *s);             /* NULL = null */
void json_words(struct json *j, const char *words);         /* a list of what stands between blanks */
void json_int(struct json *j, int64_t n);
void json_bool(struct json *j, bool b);

#endif
