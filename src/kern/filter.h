/*
 * filter.h - filters of system calls
 *
 * A place's value for PRIV_SECCOMP says which calls its programs may make. Lines:
 *     default | only | any | file NAME          what holds for calls that no other line names; `file` is followed by a line of JSON
 *     allow CALL... | deny ERRNO CALL... | log CALL... | notify CALL...      later lines win
 * The module seccomp.so (libseccomp for the names, jansson for profiles) makes of it what the kernel wants: a BPF program that asks for
 * the architecture and then searches ranges of numbers with equal verdicts, which is a third of the size that libseccomp makes of it and
 * loads in a third of the time.
 *
 * A call that is refused is given to the holder (SECCOMP_RET_USER_NOTIF), which notes its number and answers with the same error, so that
 * it can be named afterwards. Refusals with ENOSYS, by which programs find out what there is, are the kernel's own business.
 */
#ifndef KERN_FILTER_H
#define KERN_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/filter.h>

struct buf;
struct err;
struct wire_answer;

/* PLAIN: the kernel refuses by itself. NAMED: as above. LEARN: what is allowed is noted, too. */
enum filter_mode { FILTER_PLAIN, FILTER_NAMED, FILTER_LEARN };

struct filter {
	struct sock_filter *code;
	size_t n;
	bool listens;                  /* the holder is asked */
	uint32_t otherwise;            /* its answer (errno, 0: go on) to all but these calls */
	struct wire_answer *answers;
	size_t n_answers;
};

struct filter_api {
	/* The filter for VALUE of programs with these capabilities, the caller's to free (filter_free). 0, or -1 with err. */
	int (*compile)(const char *value, uint64_t caps, enum filter_mode mode, struct filter *f, struct err *err);
	/* The value for a profile in JSON as Docker and the OCI write it, the caller's to free; NULL with err, which says FILE:LINE. */
	char *(*from_file)(const char *path, struct err *err);
	/* Is there such a call on any architecture? */
	bool (*known)(const char *call);
	/* The name of a call, NULL when it has none. ARCH as in struct seccomp_data. The caller's to free. */
	char *(*name)(uint32_t arch, uint32_t nr);
	/* What F says to CALL of this machine's instruction set, all arguments but the first being 0: SECCOMP_RET_* with its data. */
	uint32_t (*verdict)(const struct filter *f, const char *call, uint64_t first);
	/* In words: what is allowed, refused, and on which conditions. */
	int (*tell)(const char *value, uint64_t caps, FILE *out, struct err *err);
	/* Each name of this machine's calls. */
	void (*each)(void (*say)(void *arg, const char *name), void *arg);
};

/* The module, loaded on first use; NULL with err. */
const struct filter_api *filter_api(struct err *err);

/* The program as text, one instruction a line. */
void filter_list(const struct filter *f, FILE *out);

void filter_free(struct filter *f);

/* Compiled once (filter_kept.c): what this process has compiled, or an earlier one has left in the cache directory, is taken from there, and
 * the module is not even loaded. With KEEP what had to be compiled is left there. Borrowed until the next 15 others. */
const struct filter *filter_compile(const char *value, uint64_t caps, enum filter_mode mode, bool keep, struct err *err);

#endif
