/*
 * digest.h - the SHA-256 of a file as it goes by
 */
#ifndef KERN_DIGEST_H
#define KERN_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "kern/archive.h"

struct digest;

/* BESIDE: a thread counts, where there can be one, while the caller does other things with the bytes. */
struct digest *digest_new(bool beside);

/* The next N bytes. With a thread they must stay as they are until the next digest_add has returned, or digest_end. */
void digest_add(struct digest *d, const void *bytes, size_t n);

/* The digest into TEXT (NULL: it is of no interest); D is gone then. */
void digest_end(struct digest *d, char text[ARCHIVE_DIGEST]);

#endif
