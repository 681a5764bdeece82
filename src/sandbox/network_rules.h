/*
 * network_rules.h - the session's tables of rules
 *
 * Rules stand in the table belljar.ID of the host (inet) and of the place of a bridge (bridge); those of one command have one tag, by which they
 * are found again. The host's table is noted in the ledger and goes with the session. All functions return 0, or -1 with err.
 */
#ifndef SANDBOX_NETWORK_RULES_H
#define SANDBOX_NETWORK_RULES_H

#include "sandbox/session.h"

/* One step, which has no descriptors. */
int rules_step(struct session *s, struct step step, struct err *err);

/* The table of FAMILY ("inet", "bridge") is there. */
int rules_need(struct session *s, struct place *p, const char *family, struct err *err);

/* The rule TEXT (kern/nft.h), with TAG. */
int rules_add(struct session *s, struct place *p, const char *family, const char *tag, const char *text, struct err *err);

/* Remove all rules with that tag; how many, or -1 with err. */
int rules_drop(struct session *s, struct place *p, const char *family, const char *tag, struct err *err);

/* The tags of the session's rules that begin with WORD ("nat", "publish", "firewall"), each once. Free with rules_free_tags. */
int rules_tags(struct session *s, const char *word, char ***tags, size_t *n, struct err *err);
void rules_free_tags(char **tags, size_t n);

/* EEXIST with err when there are rules with that tag, which begins with WORD. */
int rules_once(struct session *s, const char *word, const char *tag, struct err *err);

#endif
