/*
 * program.c - commands that start a program
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cmd/program.h"
#include "cmd/shell.h"
#include "sandbox/filters.h"
#include "sandbox/run.h"

/* What a program gets as its three descriptors: the shell's own, and its output where the command's output goes. A script that is read
 * from standard input is not the program's to read. */
static int descriptors(struct shell *sh, bool detached, int std[3], int *null, struct err *err)
{
	*null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (*null < 0)
		return err_set(err, errno, "/dev/null");
	if (fflush(sh->out) != 0)
		return err_set(err, errno, "can't write the output so far");
	std[0] = detached || sh->script_is_stdin ? *null : STDIN_FILENO;
	std[1] = detached && !sh->out_elsewhere ? *null : fileno(sh->out);
	/* Only memory behind it (expect prints): there is nothing to write to. */
	if (std[1] < 0)
		std[1] = *null;
	std[2] = detached ? std[1] : STDERR_FILENO;
	return 0;
}

/* The program's own words come first; what is said of it goes where errors go. */
static int say_blocked(struct sandbox *sb, int job, struct err *err)
{
	_cleanup_free_ char *blocked = sb->place.privileges[PRIV_SECCOMP] ? filters_blocked(sb, job, err) : xstrdup("");

	if (!blocked)
		return -1;
	if (*blocked)
		fprintf(stderr, "%s: filtered calls: %s\n", sb->name, blocked);
	return 0;
}

int program_run(struct shell *sh, struct sandbox *sb, char *const *argv, enum program_how how, int *job, struct err *err)
{
	_cleanup_close_ int null = -1;
	_cleanup_buf_ struct buf bitten = { 0 };
	struct run_want want = { .argv = argv, .detached = how == PROGRAM_DETACHED, .learn = how == PROGRAM_LEARN,
				 .bitten = &bitten };
	int status = 0;

	if (descriptors(sh, want.detached, want.std, &null, err) < 0 || sandbox_run(sb, &want, &status, job, err) < 0)
		return -1;
	fputs(buf_text(&bitten), stderr);
	if (how == PROGRAM_LEARN) {
		if (status)
			fprintf(stderr, "%s: %s ended with status %d\n", sb->name, argv[0], status);
		return 0;
	}
	sh->status = status;
	return want.detached || !*job ? 0 : say_blocked(sb, *job, err);
}
