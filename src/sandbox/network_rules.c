/*
 * network_rules.c - the session's tables of rules
 */
#include "config.h"

#include <errno.h>
#include <linux/netfilter.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/nft.h"
#include "kern/rootless.h"
#include "sandbox/look.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_rules.h"
#include "sandbox/store.h"

int rules_step(struct session *s, struct step step, struct err *err)
{
	step.fd[0] = step.fd[1] = -1;
	return gate_run(&s->gate, &step, 1, err);
}

static char *table_name(const struct session *s)
{
	return xasprintf("belljar.%s", s->store ? s->store->id : "SESSION");
}

static unsigned long netns_of_host(void)
{
	return look_ns(NULL, NS_NET);
}

static bool done_before(const struct session *s, enum step_kind kind, const struct place *p, const char *what)
{
	const struct step *done;

	for (size_t i = 0; (done = gate_done(&s->gate, i)); i++)
		if (done->kind == kind && done->place == p && streq(done->what, what))
			return true;
	return false;
}

/* It is there when it holds a rule, or when the ledger says so; trying to make it says it most simply. */
int rules_need(struct session *s, struct place *p, const char *family, struct err *err)
{
	_cleanup_free_ char *name = table_name(s), *line = xasprintf("nft %lu %s\n", netns_of_host(), name);
	struct err one = { 0 };

	if (done_before(s, STEP_TABLE, p, family))
		return 0;
	if (p == &s->host && store_note(s, line, err) < 0)
		return -1;
	if (rules_step(s, (struct step){ .kind = STEP_TABLE, .place = p, .what = family, .to = name }, &one) == 0 || one.number == EEXIST)
		return 0;
	*err = one;
	return -1;
}

int rules_add(struct session *s, struct place *p, const char *family, const char *tag, const char *text, struct err *err)
{
	_cleanup_free_ char *name = table_name(s);

	return rules_step(s, (struct step){ .kind = STEP_RULE, .place = p, .what = family, .to = name, .text = text, .from = tag }, err);
}

int rules_drop(struct session *s, struct place *p, const char *family, const char *tag, struct err *err)
{
	_cleanup_free_ char *name = table_name(s);
	_cleanup_free_ struct nft_row *rows = NULL;
	size_t n = 0;
	int found = 0;

	if (!network_known(s, p) || nft_rows(p, streq(family, "bridge") ? NFPROTO_BRIDGE : NFPROTO_INET, name, &rows, &n, err) < 0)
		return network_known(s, p) ? -1 : 0;
	for (size_t i = 0; i < n; i++) {
		if (!streq(rows[i].tag, tag))
			continue;
		if (rules_step(s, (struct step){ .kind = STEP_UNRULE, .place = p, .what = family, .to = name, .text = rows[i].text, .from = tag }, err) < 0)
			return -1;
		found++;
	}
	return found;
}

static int add_tags(struct session *s, struct place *p, int family, const char *word, char ***tags, size_t *n, struct err *err)
{
	_cleanup_free_ char *name = table_name(s);
	_cleanup_free_ struct nft_row *rows = NULL;
	size_t n_rows = 0, len = strlen(word);

	if (!network_known(s, p) || nft_rows(p, family, name, &rows, &n_rows, err) < 0)
		return network_known(s, p) ? -1 : 0;
	for (size_t i = 0; i < n_rows; i++) {
		bool twice = false;
		for (size_t k = 0; k < *n; k++)
			twice = twice || streq((*tags)[k], rows[i].tag);
		if (!twice && strncmp(rows[i].tag, word, len) == 0 && (rows[i].tag[len] == ' ' || rows[i].tag[len] == '\0'))
			*GROW(tags, n) = xstrdup(rows[i].tag);
	}
	return 0;
}

int rules_tags(struct session *s, const char *word, char ***tags, size_t *n, struct err *err)
{
	*tags = NULL;
	*n = 0;
	bool walls = streq(word, "firewall"), host = rootless_uid() == 0 && store_noted(s, "nft ");
	bool lab = s->lab.own[NS_NET] && (walls || rootless_uid() != 0);
	int family = walls ? NFPROTO_BRIDGE : NFPROTO_INET;
	if ((host && add_tags(s, &s->host, family, word, tags, n, err) < 0) ||
	    (lab && add_tags(s, &s->lab, family, word, tags, n, err) < 0)) {
		rules_free_tags(*tags, *n);
		return -1;
	}
	return 0;
}

void rules_free_tags(char **tags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(tags[i]);
	free(tags);
}

int rules_once(struct session *s, const char *word, const char *tag, struct err *err)
{
	char **tags;
	size_t n;
	bool twice = false;

	if (rules_tags(s, word, &tags, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		twice = twice || streq(tags[i], tag);
	rules_free_tags(tags, n);
	return twice ? err_set(err, EEXIST, "%s: that holds already", tag) : 0;
}
