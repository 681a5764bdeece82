/*
 * capability.h - the kernel's capabilities by name
 *
 * A set of them is a mask: bit N is capability N of capabilities(7). The names are a table of our own, because libcap would be loaded
 * at every start for no more than this.
 */
#ifndef KERN_CAPABILITY_H
#define KERN_CAPABILITY_H

#include <stdint.h>

struct buf;

enum { CAPABILITIES = 41 };    /* that have a name here; a newer kernel may have more */

extern const char *const capability_names[CAPABILITIES];      /* "chown", without CAP_ */

/* All that this kernel has. */
uint64_t capability_all(void);

/* What Docker gives a container by default. */
uint64_t capability_docker(void);

/* The set a word means: a name in either case, with or without CAP_, a number, `all`, `docker`, `none`. Returns -1 when it means none. */
int capability_parse(const char *word, uint64_t *mask);

/* All words of a list; -1 when one means nothing. */
int capability_parse_list(const char *words, uint64_t *mask);

/* The set in words that capability_parse_list understands: the names, or `all` or `none`. And as short as people like it, "docker" and
 * "all but sys_time" too. */
void capability_words(uint64_t mask, struct buf *b);
void capability_short(uint64_t mask, struct buf *b);

#endif
