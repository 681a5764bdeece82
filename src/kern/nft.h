/*
 * nft.h - nftables tables and rules, asked of the kernel directly
 *
 * A session has at most one table of a family in a place; it is called belljar.ID after the session, and nothing of anybody else's is touched.
 * Each rule carries a tag, such as "nat br0", and its own words as user data, by which another belljar of the session finds it again.
 * The batch half needs little, because the session's keeper (holder/keeper.c) is linked with it (nft.c; nft_rule.c is belljar's alone).
 */
#ifndef KERN_NFT_H
#define KERN_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/place.h"

struct err;
struct step;

/* Requests that the kernel performs all or none. Built in order: nft_begin, then for each request nft_request and its attributes. */
struct nft_batch {
	_Alignas(8) char room[8192];
	size_t n;
	size_t request;        /* where the last request begins */
	bool full;             /* something did not fit; it will not be sent */
};

void nft_begin(struct nft_batch *b);
/* TYPE: NFT_MSG_*, FLAGS: NLM_F_CREATE and the like, FAMILY: NFPROTO_*. */
void nft_request(struct nft_batch *b, int type, int flags, int family);
void nft_put(struct nft_batch *b, int type, const void *data, size_t n);
void nft_put_text(struct nft_batch *b, int type, const char *text);
void nft_put_number(struct nft_batch *b, int type, uint32_t n);           /* in network order, as nftables wants them */
size_t nft_nest(struct nft_batch *b, int type);
void nft_nest_end(struct nft_batch *b, size_t nest);
/* End it, send it over SOCK (NETLINK_NETFILTER) and read what the kernel says. 0 or an errno. */
int nft_send(struct nft_batch *b, int sock);

/* Delete the table NAME in the caller's net namespace; one that is gone already is done. 0 or an errno. */
int nft_delete_table(int family, const char *name);

/* A socket for nftables in the place's net namespace, or -1 with err (nft_rule.c). */
int nft_open(const struct place *p, struct err *err);

/* STEP_TABLE and STEP_UNTABLE, STEP_RULE and STEP_UNRULE; fields as in step.h. */
int nft_table(struct step *s, int fd, struct err *err);
int nft_untable(struct step *s, int fd, struct err *err);
int nft_rule(struct step *s, int fd, struct err *err);
int nft_unrule(struct step *s, int fd, struct err *err);

/* A rule that is there: its tag, and the words it was made of, chain first. */
enum { TAG_ROOM = 128, RULE_ROOM = 192 };
struct nft_row {
	char tag[TAG_ROOM], text[RULE_ROOM];
	uint64_t handle;
};

/* The rules of the session's table NAME (NULL: of all sessions), in their order; n is 0 when there is no such table. The array is the caller's. 0, or -1 with err. */
int nft_rows(struct place *p, int family, const char *name, struct nft_row **rows, size_t *n, struct err *err);

#endif
