/*
 * gaps.c - a sandbox compared with what Docker and bubblewrap do by default
 *
 * Docker: `docker run IMAGE` as its documentation tells. bubblewrap: bwrap of an ordinary user with no more than the binds a program needs. Both
 * leave the time namespace alone. A gap is what is weaker here than with either of them.
 */
#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/capability.h"
#include "sandbox/gaps.h"
#include "sandbox/masks.h"
#include "sandbox/privileges.h"

struct list {
	struct gap *gaps;
	size_t n;
};

/* COMMAND NULL: no gap. */
static void add(struct list *l, const char *what, const char *here, const char *docker, const char *bubblewrap, const char *command)
{
	*GROW(&l->gaps, &l->n) = (struct gap){ what, xstrdup(here), docker, bubblewrap, xstrdup(command) };
}

static void namespaces(struct list *l, const struct sandbox *sb)
{
	for (int k = 0; k < NS_KINDS; k++) {
		_cleanup_free_ char *command = xasprintf("unshare %s", ns_table[k].name);
		if (k != NS_TIME)
			add(l, ns_table[k].name, sb->place.joined[k] ? "another's" : sb->place.own[k] ? "own" : "host's",
			    k == NS_USER ? "host's" : "own", k == NS_USER || k == NS_MNT ? "own" : "host's", sb->place.own[k] ? NULL : command);
	}
	bool mapped = sb->place.own[NS_USER] && sb->place.mapped;
	add(l, "ids", mapped ? "mapped" : sb->place.own[NS_USER] ? "none" : "host's", "host's", "mapped", mapped ? NULL : "map auto");
}

static int files(struct list *l, struct sandbox *sb, struct err *err)
{
	size_t there, missing;

	add(l, "root", sb->root ? sb->root : "host's", "an image", "empty", sb->root ? NULL : "root host");
	if (masks_missing(sb, &there, &missing, err) < 0)
		return -1;
	_cleanup_free_ char *here = xasprintf("%zu of %zu", there - missing, there);
	/* The views that come with namespaces have parts that are not there yet. */
	bool views = sb->root && sb->place.own[NS_PID] && sb->place.own[NS_NET];
	add(l, "masked paths", here, "all", "none", missing || !views ? "mask docker" : NULL);
	return 0;
}

static void capabilities(struct list *l, const struct sandbox *sb)
{
	uint64_t caps = privileges_caps(sb), docker = capability_docker(), ambient = privileges_ambient(sb);
	_cleanup_buf_ struct buf here = { 0 }, here_ambient = { 0 }, command = { 0 };

	capability_short(caps, &here);
	/* All of Docker's can only be set where they can be had. */
	buf_str(&command, (docker & ~caps) ? "cap drop " : "cap set docker");
	if (docker & ~caps)
		capability_words(caps & ~docker, &command);
	add(l, "capabilities", buf_text(&here), "docker", "none", (caps & ~docker) ? buf_text(&command) : NULL);
	capability_short(ambient, &here_ambient);
	add(l, "ambient capabilities", buf_text(&here_ambient), "none", "none", ambient ? "cap ambient none" : NULL);
}

static void rest(struct list *l, const struct sandbox *sb)
{
	const char *const *values = (const char *const *)sb->place.privileges;
	_cleanup_buf_ struct buf filter = { 0 };

	add(l, "no new privileges", values[PRIV_NONEWPRIVS] ? "on" : "off", "off", "on", values[PRIV_NONEWPRIVS] ? NULL : "nonewprivs on");
	buf_str(&filter, "");
	if (values[PRIV_SECCOMP])
		privilege_words(PRIV_SECCOMP, values[PRIV_SECCOMP], &filter);
	add(l, "seccomp", values[PRIV_SECCOMP] ? buf_text(&filter) : "none", "default", "none", values[PRIV_SECCOMP] ? NULL : "seccomp default");
}

int gaps_list(struct sandbox *sb, struct gap **gaps, size_t *n, struct err *err)
{
	struct list l = { 0 };

	namespaces(&l, sb);
	int result = files(&l, sb, err);
	capabilities(&l, sb);
	rest(&l, sb);
	*gaps = l.gaps;
	*n = l.n;
	if (result == 0)
		return 0;
	gaps_free(l.gaps, l.n);
	return -1;
}

void gaps_free(struct gap *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].here);
		free(list[i].command);
	}
	free(list);
}

char *gaps_recipe(struct sandbox *sb, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 }, kinds = { 0 };
	struct gap *list;
	size_t n;

	if (gaps_list(sb, &list, &n, err) < 0)
		return NULL;
	buf_str(&text, "");
	/* In one command, so that the user namespace owns the others. */
	for (size_t i = 0; i < n; i++)
		if (list[i].command && starts_with(list[i].command, "unshare "))
			buf_str(&kinds, list[i].command + strlen("unshare"));
		else if (list[i].command)
			buf_fmt(&text, "%s\n", list[i].command);
	gaps_free(list, n);
	return kinds.len ? xasprintf("unshare%s\n%s", kinds.data, buf_text(&text)) : xstrdup(buf_text(&text));
}
