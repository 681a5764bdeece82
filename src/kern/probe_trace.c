/*
 * probe_trace.c - which rule of nftables drops a packet, as the kernel itself says
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/nft.h"
#include "kern/nft_expr.h"
#include "kern/probe_trace.h"

enum { OWNER_FLAG = 2, FIRST_OF_ALL = -450 };   /* NFT_TABLE_F_OWNER; before the hooks of iptables (raw is at -300) */

static const char table_name[] = "belljar-trace";

/* Packets whose KEY (NFT_META_*) has that value are marked. */
static void put_rule(struct nft_batch *b, int family, const char *chain, uint32_t key, const void *value, size_t n)
{
	uint8_t on = 1;

	nft_request(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
	nft_put_text(b, NFTA_RULE_TABLE, table_name);
	nft_put_text(b, NFTA_RULE_CHAIN, chain);
	size_t list = nft_nest(b, NFTA_RULE_EXPRESSIONS);
	nft_load_meta(b, key);
	nft_compare(b, true, value, n);
	nft_immediate(b, NFT_REG_1, &on, 1);
	struct nft_expression e = nft_expression(b, "meta");
	nft_put_number(b, NFTA_META_SREG, NFT_REG_1);
	nft_put_number(b, NFTA_META_KEY, NFT_META_NFTRACE);
	nft_expression_end(b, e);
	nft_nest_end(b, list);
}

static void put_chain(struct nft_batch *b, int family, const char *name, uint32_t hook, const struct trace_wish *w)
{
	uint16_t arp = htons(ETH_P_ARP);
	unsigned char protocol = (unsigned char)w->protocol, neighbours = IPPROTO_ICMPV6;

	nft_request(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
	nft_put_text(b, NFTA_CHAIN_TABLE, table_name);
	nft_put_text(b, NFTA_CHAIN_NAME, name);
	size_t nest = nft_nest(b, NFTA_CHAIN_HOOK);
	nft_put_number(b, NFTA_HOOK_HOOKNUM, hook);
	nft_put_number(b, NFTA_HOOK_PRIORITY, (uint32_t)FIRST_OF_ALL);
	nft_nest_end(b, nest);
	nft_put_text(b, NFTA_CHAIN_TYPE, "filter");
	put_rule(b, family, name, NFT_META_L4PROTO, &protocol, sizeof protocol);
	/* The question who has the address goes before the packet. */
	if (w->family == AF_INET6)
		put_rule(b, family, name, NFT_META_L4PROTO, &neighbours, sizeof neighbours);
	else if (family == NFPROTO_BRIDGE)
		put_rule(b, family, name, NFT_META_PROTOCOL, &arp, sizeof arp);
}

static int make_table(int sock, int family, const struct trace_wish *w)
{
	struct nft_batch b;

	nft_begin(&b);
	nft_request(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, family);
	nft_put_text(&b, NFTA_TABLE_NAME, table_name);
	nft_put_number(&b, NFTA_TABLE_FLAGS, OWNER_FLAG);
	put_chain(&b, family, "prerouting", NF_INET_PRE_ROUTING, w);
	put_chain(&b, family, "output", NF_INET_LOCAL_OUT, w);
	return nft_send(&b, sock);
}

int trace_open(struct trace *t, struct place *p, const struct trace_wish *w, struct err *err)
{
	_cleanup_close_ int sock = nft_open(p, err);
	int group = NFNLGRP_NFTRACE, number;

	*t = (struct trace){ .sock = -1 };
	if (sock < 0)
		return -1;
	number = make_table(sock, NFPROTO_INET, w);
	/* A kernel without rules for bridges drops nothing there. */
	if (!number)
		make_table(sock, NFPROTO_BRIDGE, w);
	if (!number && setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		number = errno;
	if (number)
		return err_set(err, number, "%s: its rules can't be watched", p->name);
	t->sock = move_fd(&sock);
	return 0;
}

/* ---- reports ---- */

static const struct nlattr *find(const void *from, size_t left, int type)
{
	const struct nlattr *a = from;

	while (left >= sizeof *a && a->nla_len >= sizeof *a && a->nla_len <= left) {
		size_t step = NLA_ALIGN(a->nla_len);
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step >= left)
			break;
		left -= step;
		a = (const void *)((const char *)a + step);
	}
	return NULL;
}

static const void *data_of(const struct nlattr *a, size_t least)
{
	return a && a->nla_len >= NLA_HDRLEN + least ? (const char *)a + NLA_HDRLEN : NULL;
}

static uint32_t number_of(const struct nlattr *a, uint32_t otherwise)
{
	const void *data = data_of(a, 4);
	uint32_t n;

	if (!data)
		return otherwise;
	memcpy(&n, data, sizeof n);
	return ntohl(n);
}

static void text_of(const struct nlattr *a, char *text, size_t room)
{
	const char *data = data_of(a, 0);

	snprintf(text, room, "%.*s", data ? (int)(a->nla_len - NLA_HDRLEN) : 0, data ? data : "");
}

/* The first report of a packet in a chain shows its headers, the others only its number. */
static int whose(struct trace *t, const struct trace_wish *w, uint32_t id, const struct nlattr *header)
{
	size_t size = w->family == AF_INET ? 4 : 16, at = w->family == AF_INET ? 12 : 8, apart = size;
	const unsigned char *ip = data_of(header, 20);

	for (unsigned i = 0; i < ARRAY_SIZE(t->known); i++)
		if (t->known[i] == id && id)
			return t->whose[i];
	if (!ip || (ip[0] >> 4 == 0 && w->family != AF_INET))
		return 0;
	/* ARP (RFC 826) has hardware addresses between the others; its first half byte is no version of IP. */
	if (ip[0] >> 4 == 0) {
		at = 14;
		apart = 10;
	}
	if (!data_of(header, at + apart + size))
		return 0;
	const unsigned char *from = ip + at, *to = from + apart;
	int is = memcmp(from, w->to, size) == 0 ? 2 : memcmp(from, w->from, size) == 0 || memcmp(to, w->to, size) == 0 ? 1 : 0;
	/* To itself: both are the same. */
	if (is == 2 && memcmp(to, w->to, size) == 0)
		is = 1;
	t->known[t->next % ARRAY_SIZE(t->known)] = id;
	t->whose[t->next++ % ARRAY_SIZE(t->known)] = (signed char)is;
	return is;
}

static bool is_drop(const struct nlmsghdr *h, struct trace *t, const struct trace_wish *w, struct trace_drop *drop)
{
	const char *at = (const char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg));
	uint32_t type = number_of(find(at, left, NFTA_TRACE_TYPE), 0), code = 1;
	int is = whose(t, w, number_of(find(at, left, NFTA_TRACE_ID), 0), find(at, left, NFTA_TRACE_NETWORK_HEADER));
	const struct nlattr *verdict = find(at, left, NFTA_TRACE_VERDICT);
	const struct nfgenmsg *g = NLMSG_DATA(h);

	if (type == NFT_TRACETYPE_POLICY)
		code = number_of(find(at, left, NFTA_TRACE_POLICY), 1);
	else if (verdict)
		code = number_of(find(data_of(verdict, 0), verdict->nla_len - NLA_HDRLEN, NFTA_VERDICT_CODE), 1);
	if (!is || (code & 0xff) != NF_DROP || code >> 31)
		return false;
	static const struct { int family; const char *word; } families[] = { { NFPROTO_INET, "inet" }, { NFPROTO_IPV4, "ip" },
									     { NFPROTO_IPV6, "ip6" }, { NFPROTO_BRIDGE, "bridge" } };
	*drop = (struct trace_drop){ .answer = is == 2 };
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i].family == g->nfgen_family)
			snprintf(drop->family, sizeof drop->family, "%s", families[i].word);
	text_of(find(at, left, NFTA_TRACE_TABLE), drop->table, sizeof drop->table);
	text_of(find(at, left, NFTA_TRACE_CHAIN), drop->chain, sizeof drop->chain);
	const void *handle = type == NFT_TRACETYPE_RULE ? data_of(find(at, left, NFTA_TRACE_RULE_HANDLE), 8) : NULL;
	if (handle) {
		memcpy(&drop->handle, handle, sizeof drop->handle);
		drop->handle = be64toh(drop->handle);
	}
	return true;
}

bool trace_read(struct trace *t, const struct trace_wish *w, struct trace_drop *drop)
{
	_Alignas(8) char room[32768];
	ssize_t got;

	while ((got = recv(t->sock, room, sizeof room, MSG_DONTWAIT)) > 0) {
		size_t left = (size_t)got;
		for (struct nlmsghdr *h = (void *)room; left >= sizeof *h && h->nlmsg_len >= sizeof *h && h->nlmsg_len <= left;) {
			size_t step = NLMSG_ALIGN(h->nlmsg_len);
			if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) && h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg)) &&
			    is_drop(h, t, w, drop))
				return true;
			if (step >= left)
				break;
			left -= step;
			h = (void *)((char *)h + step);
		}
	}
	return false;
}
