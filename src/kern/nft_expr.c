/*
 * nft_expr.c - the parts that rules of nftables are made of
 */
#include "config.h"

#include <linux/netfilter/nf_tables.h>

#include "kern/nft_expr.h"

struct nft_expression nft_expression(struct nft_batch *b, const char *name)
{
	struct nft_expression e;

	e.element = nft_nest(b, NFTA_LIST_ELEM);
	nft_put_text(b, NFTA_EXPR_NAME, name);
	e.data = nft_nest(b, NFTA_EXPR_DATA);
	return e;
}

void nft_expression_end(struct nft_batch *b, struct nft_expression e)
{
	nft_nest_end(b, e.data);
	nft_nest_end(b, e.element);
}

static void put_value(struct nft_batch *b, int type, const void *data, size_t n)
{
	size_t nest = nft_nest(b, type);

	nft_put(b, NFTA_DATA_VALUE, data, n);
	nft_nest_end(b, nest);
}

void nft_load_meta(struct nft_batch *b, uint32_t key)
{
	struct nft_expression e = nft_expression(b, "meta");

	nft_put_number(b, NFTA_META_DREG, NFT_REG_1);
	nft_put_number(b, NFTA_META_KEY, key);
	nft_expression_end(b, e);
}

void nft_load_payload(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t n)
{
	struct nft_expression e = nft_expression(b, "payload");

	nft_put_number(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_put_number(b, NFTA_PAYLOAD_BASE, base);
	nft_put_number(b, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_number(b, NFTA_PAYLOAD_LEN, n);
	nft_expression_end(b, e);
}

void nft_compare(struct nft_batch *b, bool equal, const void *data, size_t n)
{
	struct nft_expression e = nft_expression(b, "cmp");

	nft_put_number(b, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_number(b, NFTA_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
	put_value(b, NFTA_CMP_DATA, data, n);
	nft_expression_end(b, e);
}

void nft_mask(struct nft_batch *b, const unsigned char *bits, size_t n)
{
	static const unsigned char none[16];
	struct nft_expression e = nft_expression(b, "bitwise");

	nft_put_number(b, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_number(b, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_number(b, NFTA_BITWISE_LEN, (uint32_t)n);
	put_value(b, NFTA_BITWISE_MASK, bits, n);
	put_value(b, NFTA_BITWISE_XOR, none, n);
	nft_expression_end(b, e);
}

void nft_immediate(struct nft_batch *b, uint32_t to, const void *data, size_t n)
{
	struct nft_expression e = nft_expression(b, "immediate");

	nft_put_number(b, NFTA_IMMEDIATE_DREG, to);
	put_value(b, NFTA_IMMEDIATE_DATA, data, n);
	nft_expression_end(b, e);
}

void nft_verdict(struct nft_batch *b, uint32_t code)
{
	struct nft_expression e = nft_expression(b, "immediate");

	nft_put_number(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	size_t data = nft_nest(b, NFTA_IMMEDIATE_DATA), nest = nft_nest(b, NFTA_DATA_VERDICT);
	nft_put_number(b, NFTA_VERDICT_CODE, code);
	nft_nest_end(b, nest);
	nft_nest_end(b, data);
	nft_expression_end(b, e);
}
