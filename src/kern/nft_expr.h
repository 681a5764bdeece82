/*
 * nft_expr.h - the parts that rules of nftables are made of
 *
 * A rule is a list of expressions (NFTA_RULE_EXPRESSIONS): some load something of the packet into the first register, some compare that, and what
 * does not compare ends the rule; the others do something with the packet.
 */
#ifndef KERN_NFT_EXPR_H
#define KERN_NFT_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/nft.h"

/* Any expression: its attributes stand between these two. */
struct nft_expression {
	size_t element, data;
};
struct nft_expression nft_expression(struct nft_batch *b, const char *name);
void nft_expression_end(struct nft_batch *b, struct nft_expression e);

void nft_load_meta(struct nft_batch *b, uint32_t key);                     /* NFT_META_* */
void nft_load_payload(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t n);
void nft_mask(struct nft_batch *b, const unsigned char *bits, size_t n);
void nft_compare(struct nft_batch *b, bool equal, const void *data, size_t n);
void nft_immediate(struct nft_batch *b, uint32_t to, const void *data, size_t n);   /* a value into a register */
void nft_verdict(struct nft_batch *b, uint32_t code);                      /* NF_DROP ... */

#endif
