/*
 * options.c - belljar's own command line: one table for parsing, --help, the man page and completion
 */
#include "config.h"

#include <ctype.h>

#include "base/err.h"
#include "base/mem.h"
#include "lang/command.h"
#include "ui/options.h"

struct option {
	char letter;           /* 0 = none */
	const char *name;      /* without the dashes; NULL = none */
	const char *value;     /* what follows, as help calls it; NULL = nothing */
	const char *brief;     /* one line for --help */
	const char *text;      /* more of it for the man page, or NULL */
};

static const struct option table[] = {
	{ 'c', NULL, "TEXT", "run the commands in TEXT",
	  "Commands are separated by semicolons or newlines. May be given several times, and mixed with -f; all are run in order." },
	{ 'f', NULL, "FILE", "run the commands in FILE; - is standard input", "May be given several times, and mixed with -c." },
	{ 's', "session", "NAME", "work on the session NAME, which lasts until \"end\"",
	  "The session is opened, or made when there is none of that name. Its sandboxes stay when belljar leaves." },
	{ 'k', "keep-going", NULL, "go on after errors",
	  "Without it a script stops at its first error. The exit status is that of the first error in either case." },
	{ 'x', "echo", NULL, "echo each command on standard error before it is done", NULL },
	{ 'n', "dry-run", NULL, "only tell the steps; change nothing", NULL },
	{ 0, "explain", NULL, "tell each step before it is taken", NULL },
	{ 0, "json", NULL, "looking commands print JSON", "One document for each command." },
	{ 0, "color", "WHEN", "colour: auto, always or never",
	  "With auto, which is the default, there is colour when standard output and standard error are terminals, TERM is not dumb and "
	  "NO_COLOR is not set." },
	{ 0, "complete", "WORDS...", "print what could stand as the last of WORDS",
	  "For the completions of shells. Everything behind it is taken as the words typed so far, the last one perhaps empty." },
	{ 0, "man", NULL, "print the manual page in mdoc", NULL },
	{ 'h', "help", NULL, "print this", NULL },
	{ 'V', "version", NULL, "print the version", NULL },
};

static const char *const colours[] = { "auto", "always", "never" };

static const struct option *by_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (letter && table[i].letter == letter)
			return &table[i];
	return NULL;
}

static const struct option *by_name(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].name && strlen(table[i].name) == n && strncmp(table[i].name, name, n) == 0)
			return &table[i];
	return NULL;
}

static int set_colour(struct options *o, const char *value, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (streq(colours[i], value)) {
			o->colour = colours[i];
			return 0;
		}
	return err_usage(err, "--color is auto, always or never, not \"%.100s\"", value);
}

/* What an option does; the letter or, where there is none, the name's first letter decides. */
static int apply(struct options *o, const struct option *option, const char *value, struct err *err)
{
	switch (option->letter ? option->letter : option->name[0]) {
	case 'c':
		if (option->name)
			return streq(option->name, "color") ? set_colour(o, value, err) : (o->mode = MODE_COMPLETE, 0);
		/* fall through */
	case 'f':
		*GROW(&o->actions, &o->n_actions) = (struct action){ option->letter == 'f', value };
		return 0;
	case 's':
		if (o->session)
			return err_usage(err, "-s is given twice");
		o->session = value;
		return 0;
	case 'k':
		o->go_on = true;
		return 0;
	case 'x':
		o->echo = true;
		return 0;
	case 'n':
		o->dry = true;
		return 0;
	case 'e':
		o->explain = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'm':
		o->mode = MODE_MAN;
		return 0;
	case 'h':
		o->mode = MODE_HELP;
		return 0;
	default:
		o->mode = MODE_VERSION;
		return 0;
	}
}

static int unknown(const char *text, struct err *err)
{
	err_usage(err, "unknown option %.100s", text);
	return err_try(err, "belljar --help");
}

static int missing(const struct option *option, const char *text, struct err *err)
{
	err_usage(err, "%.100s needs %s %s", text, strchr("AEIOU", option->value[0]) ? "an" : "a", option->value);
	return err_try(err, "belljar --help");
}

/* --name, --name=VALUE, --name VALUE. How many words it took, or -1. */
static int parse_long(char **argv, struct options *o, struct err *err)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	const struct option *option = by_name(name, equals ? (size_t)(equals - name) : strlen(name));
	const char *value = equals ? equals + 1 : argv[1];
	bool complete = option && option->value && streq(option->value, "WORDS...");

	if (!option)
		return unknown(argv[0], err);
	if (equals && (!option->value || complete))
		return err_usage(err, "--%s takes no value", option->name);
	if (option->value && !complete && !value)
		return missing(option, argv[0], err);
	if (apply(o, option, value, err) < 0)
		return -1;
	return option->value && !complete && !equals ? 2 : 1;
}

/* -k, -kx, -cTEXT, -c TEXT. How many words it took, or -1. */
static int parse_letters(char **argv, struct options *o, struct err *err)
{
	for (const char *c = argv[0] + 1; *c; c++) {
		const struct option *option = by_letter(*c);
		char text[] = { '-', *c, '\0' };
		if (!option)
			return unknown(argv[0][2] && (unsigned char)*c < 128 ? text : argv[0], err);
		const char *value = option->value ? (c[1] ? c + 1 : argv[1]) : NULL;
		if (option->value && !value)
			return missing(option, text, err);
		if (apply(o, option, value, err) < 0)
			return -1;
		if (option->value)
			return c[1] ? 1 : 2;
	}
	return 1;
}

int options_parse(int argc, char **argv, struct options *o, struct err *err)
{
	int at = 1;

	*o = (struct options){ .colour = colours[0] };
	while (at < argc && argv[at][0] == '-' && argv[at][1] && o->mode != MODE_COMPLETE) {
		if (streq(argv[at], "--")) {
			at++;
			break;
		}
		int took = argv[at][1] == '-' ? parse_long(argv + at, o, err) : parse_letters(argv + at, o, err);
		if (took < 0)
			return -1;
		at += took;
	}
	o->words = (const char *const *)argv + at;
	o->n_words = argc > at ? (size_t)(argc - at) : 0;
	if (o->mode == MODE_RUN && o->n_words && o->n_actions) {
		err_usage(err, "a command (%.100s) can't follow -c or -f", o->words[0]);
		return err_try(err, "-c with the command in quotes");
	}
	return 0;
}

void options_free(struct options *o)
{
	free(o->actions);
	o->actions = NULL;
}

void options_help(FILE *out)
{
	fputs("usage: belljar [OPTIONS]                  a prompt on a terminal, else the script on standard input\n"
	      "       belljar [OPTIONS] COMMAND ARGS...  one command\n"
	      "       belljar [OPTIONS] -c TEXT | -f FILE ...\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option *o = &table[i];
		char letter[] = { '-', o->letter, '\0' };
		int n = fprintf(out, "  %s%s%s%s", o->letter ? letter : "  ", o->letter && o->name ? ", " : "  ", o->name ? "--" : "",
				o->name ? o->name : "");
		n += o->value ? fprintf(out, "%s%s", o->name && !streq(o->value, "WORDS...") ? "=" : " ", o->value) : 0;
		fprintf(out, "%*s%s\n", n < 24 ? 24 - n : 1, "", o->brief);
	}
	fputs("\n\"belljar help\" lists the commands, \"belljar help COMMAND\" explains one.\n", out);
}

static void mdoc_option(FILE *out, const struct option *o)
{
	fputs(".It", out);
	if (o->letter)
		fprintf(out, " Fl %c", o->letter);
	if (o->letter && o->name)
		fputs(" ,", out);
	if (o->name)
		fprintf(out, " Fl \\-%s", o->name);
	if (o->value && streq(o->value, "WORDS..."))
		fputs(" Ar WORD ...", out);
	else if (o->value)
		fprintf(out, "%s Ar %s", o->name ? " Ns = Ns" : "", o->value);
	fputc('\n', out);
	_cleanup_free_ char *text = xasprintf("%c%s. %s", toupper((unsigned char)o->brief[0]), o->brief + 1, o->text ? o->text : "");
	help_mdoc_text(out, text);
}

void options_mdoc(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		mdoc_option(out, &table[i]);
	fputs(".El\n", out);
}

void options_complete(const char *prefix, void (*add)(void *arg, const char *text), void *arg)
{
	static const char colour[] = "--color=";

	if (starts_with(prefix, colour)) {
		for (size_t i = 0; i < ARRAY_SIZE(colours); i++) {
			_cleanup_free_ char *text = xasprintf("%s%s", colour, colours[i]);
			if (starts_with(text, prefix))
				add(arg, text);
		}
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_free_ char *text =
			table[i].name ? xasprintf("--%s%s", table[i].name, streq(table[i].name, "color") ? "=" : "") : xasprintf("-%c", table[i].letter);
		if (starts_with(text, prefix))
			add(arg, text);
	}
}
