/*
 * nft.c - batches of requests to nftables
 *
 * nftables changes its rules in transactions: one message that begins, the requests, one that ends. The kernel has performed it and queued its
 * answers when sending returns, so nothing waits here.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kern/nft.h"

static void *take(struct nft_batch *b, size_t n)
{
	size_t room = NLMSG_ALIGN(n);

	if (b->full || sizeof b->room - b->n < room) {
		b->full = true;
		return NULL;
	}
	char *at = b->room + b->n;
	memset(at, 0, room);
	b->n += room;
	return at;
}

static struct nlmsghdr *head(struct nft_batch *b)
{
	return (struct nlmsghdr *)(void *)(b->room + b->request);
}

static void message(struct nft_batch *b, int type, int flags, int family, int resource)
{
	b->request = b->n;
	struct nlmsghdr *h = take(b, sizeof *h);
	struct nfgenmsg *g = take(b, sizeof *g);

	if (!h || !g)
		return;
	*h = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(sizeof *g), .nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) };
	*g = (struct nfgenmsg){ .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0, .res_id = htons((uint16_t)resource) };
}

void nft_begin(struct nft_batch *b)
{
	b->n = 0;
	b->full = false;
	message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void nft_request(struct nft_batch *b, int type, int flags, int family)
{
	message(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags | NLM_F_ACK, family, 0);
}

static void grown(struct nft_batch *b)
{
	head(b)->nlmsg_len = (uint32_t)(b->n - b->request);
}

void nft_put(struct nft_batch *b, int type, const void *data, size_t n)
{
	struct nlattr *a = take(b, NLA_HDRLEN + n);

	if (!a)
		return;
	a->nla_type = (uint16_t)type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + n);
	if (n)
		memcpy((char *)a + NLA_HDRLEN, data, n);
	grown(b);
}

void nft_put_text(struct nft_batch *b, int type, const char *text)
{
	nft_put(b, type, text, strlen(text) + 1);
}

void nft_put_number(struct nft_batch *b, int type, uint32_t n)
{
	uint32_t ordered = htonl(n);

	nft_put(b, type, &ordered, sizeof ordered);
}

size_t nft_nest(struct nft_batch *b, int type)
{
	size_t at = b->n;

	nft_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nft_nest_end(struct nft_batch *b, size_t nest)
{
	if (!b->full)
		((struct nlattr *)(void *)(b->room + nest))->nla_len = (uint16_t)(b->n - nest);
}

/* The first error among the answers; each request has one. */
static int answers(int sock)
{
	_Alignas(8) char room[8192];
	int number = 0;
	bool any = false;
	ssize_t got;

	while ((got = recv(sock, room, sizeof room, MSG_DONTWAIT)) > 0) {
		size_t left = (size_t)got;
		for (struct nlmsghdr *h = (void *)room; left >= sizeof *h && h->nlmsg_len >= sizeof *h && h->nlmsg_len <= left;) {
			size_t step = NLMSG_ALIGN(h->nlmsg_len);
			if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr))) {
				any = true;
				number = number ? number : -((struct nlmsgerr *)NLMSG_DATA(h))->error;
			}
			if (step >= left)
				break;
			left -= step;
			h = (void *)((char *)h + step);
		}
	}
	return any ? number : EPROTO;
}

int nft_send(struct nft_batch *b, int sock)
{
	message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	if (b->full)
		return E2BIG;
	return send(sock, b->room, b->n, 0) < 0 ? errno : answers(sock);
}

int nft_delete_table(int family, const char *name)
{
	struct nft_batch b;
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (sock < 0)
		return errno == EPROTONOSUPPORT ? 0 : errno;
	nft_begin(&b);
	nft_request(&b, NFT_MSG_DELTABLE, 0, family);
	nft_put_text(&b, NFTA_TABLE_NAME, name);
	int number = nft_send(&b, sock);
	close(sock);
	return number == ENOENT ? 0 : number;
}
