/*
 * nft_rule.c - the acts of nftables steps
 *
 * A step's rule is written in the words of nft(8), so that what explain says can be typed. Here is as much of that language as belljar uses:
 * each word becomes the expressions that nft itself would make of it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/nft.h"
#include "kern/nft_expr.h"
#include "kern/step.h"

/* ---- sockets and errors ---- */

static int open_socket(void *arg, struct err *err)
{
	int *fd = arg;

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	return *fd < 0 ? err_set(err, errno, "this kernel has no netfilter") : 0;
}

int nft_open(const struct place *p, struct err *err)
{
	int fd = -1, result = p->own[NS_NET] ? joined_run(p, 1u << NS_NET, 0, NULL, open_socket, &fd, err) : open_socket(&fd, err);

	return result < 0 ? err_wrap(err, "%s: ", p->name) : fd;
}

static int family_of(const char *word)
{
	return streq(word, "bridge") ? NFPROTO_BRIDGE : NFPROTO_INET;
}

static int refuse(const struct step *s, const char *what, int number, struct err *err)
{
	err_set(err, number, "%s: %s", s->place->name, what);
	if (number == EPERM)
		err_why(err, "changing rules takes CAP_NET_ADMIN in the user namespace that owns the net namespace");
	else if (number == EOPNOTSUPP || number == EAFNOSUPPORT || number == ENOENT)
		err_why(err, "this kernel may lack a part of nftables (%s tables, nat, masquerade)", s->what ? s->what : "inet");
	else if (number == EPROTO)
		err_why(err, "the kernel's answer was lost, for want of memory perhaps");
	return -1;
}

static int run(struct step *s, struct nft_batch *b, const char *what, struct err *err)
{
	_cleanup_close_ int sock = nft_open(s->place, err);

	if (sock < 0)
		return -1;
	int number = nft_send(b, sock);
	return number ? refuse(s, what, number, err) : 0;
}

/* ---- tables ---- */

static void put_chain(struct nft_batch *b, const struct step *s, const char *name, const char *type, uint32_t hook, int priority)
{
	nft_request(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family_of(s->what));
	nft_put_text(b, NFTA_CHAIN_TABLE, s->to);
	nft_put_text(b, NFTA_CHAIN_NAME, name);
	size_t nest = nft_nest(b, NFTA_CHAIN_HOOK);
	nft_put_number(b, NFTA_HOOK_HOOKNUM, hook);
	nft_put_number(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nft_nest_end(b, nest);
	nft_put_text(b, NFTA_CHAIN_TYPE, type);
}

int nft_table(struct step *s, int fd, struct err *err)
{
	struct nft_batch b;

	(void)fd;
	nft_begin(&b);
	nft_request(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, family_of(s->what));
	nft_put_text(&b, NFTA_TABLE_NAME, s->to);
	if (family_of(s->what) == NFPROTO_BRIDGE) {
		put_chain(&b, s, "forward", "filter", NF_INET_FORWARD, 0);
	} else {
		put_chain(&b, s, "prerouting", "nat", NF_INET_PRE_ROUTING, -100);
		put_chain(&b, s, "output", "nat", NF_INET_LOCAL_OUT, -100);
		put_chain(&b, s, "postrouting", "nat", NF_INET_POST_ROUTING, 100);
	}
	if (run(s, &b, "the table of rules can't be made", err) < 0)
		return -1;
	snprintf(s->old, sizeof s->old, "1");
	return 0;
}

int nft_untable(struct step *s, int fd, struct err *err)
{
	struct nft_batch b;
	_cleanup_close_ int sock = nft_open(s->place, err);

	(void)fd;
	if (sock < 0)
		return -1;
	nft_begin(&b);
	nft_request(&b, NFT_MSG_DELTABLE, 0, family_of(s->what));
	nft_put_text(&b, NFTA_TABLE_NAME, s->to);
	int number = nft_send(&b, sock);
	return number && number != ENOENT ? refuse(s, "the table of rules can't be deleted", number, err) : 0;
}

/* ---- words ---- */

/* The next word of *AT; false at the end, or when it is too long. Quotes are for people. */
static bool next(const char **at, char word[64])
{
	*at += strspn(*at, " ");
	size_t n = strcspn(*at, " ");
	if (n == 0 || n >= 64)
		return false;
	memcpy(word, *at, n);
	word[n] = '\0';
	*at += n;
	if (n > 1 && word[0] == '"' && word[n - 1] == '"') {
		memmove(word, word + 1, n - 2);
		word[n - 2] = '\0';
	}
	return true;
}

/* "!=" before the value makes the comparison one for difference. */
static bool next_value(const char **at, char word[64], bool *equal)
{
	*equal = true;
	if (!next(at, word))
		return false;
	if (!streq(word, "!="))
		return true;
	*equal = false;
	return next(at, word);
}

/* In tables of both families, what looks at one family's header must be asked for first. */
static void match_protocol(struct nft_batch *b, bool v6)
{
	unsigned char family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	nft_load_meta(b, NFT_META_NFPROTO);
	nft_compare(b, true, &family, 1);
}

/* "ip saddr 10.0.0.0/24", "ip6 daddr != fd00::/64" */
static bool match_address(struct nft_batch *b, const char **at, bool v6)
{
	unsigned char bytes[16], bits[16] = { 0 };
	unsigned size = v6 ? 16 : 4;
	char field[64], word[64];
	bool equal;

	if (!next(at, field) || !next_value(at, word, &equal))
		return false;
	char *slash = strchr(word, '/');
	unsigned long length = slash ? strtoul(slash + 1, NULL, 10) : size * 8;
	if (slash)
		*slash = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, word, bytes) != 1 || length > size * 8)
		return false;
	for (unsigned i = 0; i < size; i++) {
		unsigned long keep = length >= 8 * (i + 1) ? 8 : length > 8 * i ? length - 8 * i : 0;
		bits[i] = (unsigned char)(0xff00u >> keep);
		bytes[i] &= bits[i];
	}
	match_protocol(b, v6);
	nft_load_payload(b, NFT_PAYLOAD_NETWORK_HEADER, (v6 ? 8 : 12) + (streq(field, "daddr") ? size : 0), size);
	if (length < size * 8)
		nft_mask(b, bits, size);
	nft_compare(b, equal, bytes, size);
	return true;
}

/* "tcp dport 8080" */
static bool match_port(struct nft_batch *b, const char **at, unsigned char protocol)
{
	char field[64], word[64];

	if (!next(at, field) || !streq(field, "dport") || !next(at, word))
		return false;
	uint16_t port = htons((uint16_t)strtoul(word, NULL, 10));
	nft_load_meta(b, NFT_META_L4PROTO);
	nft_compare(b, true, &protocol, 1);
	nft_load_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	nft_compare(b, true, &port, sizeof port);
	return true;
}

static bool match_name(struct nft_batch *b, const char **at, uint32_t key)
{
	char word[64], name[IFNAMSIZ] = "";
	bool equal;

	if (!next_value(at, word, &equal) || strlen(word) >= sizeof name)
		return false;
	memcpy(name, word, strlen(word));
	nft_load_meta(b, key);
	nft_compare(b, equal, name, sizeof name);
	return true;
}

static bool match_group(struct nft_batch *b, const char **at, uint32_t key)
{
	char word[64];
	bool equal;

	if (!next_value(at, word, &equal))
		return false;
	uint32_t group = (uint32_t)strtoul(word, NULL, 10);
	nft_load_meta(b, key);
	nft_compare(b, equal, &group, sizeof group);
	return true;
}

/* "fib daddr type local": it is for an address of the machine's own. */
static bool match_local(struct nft_batch *b, const char **at)
{
	char words[3][64];
	uint32_t local = RTN_LOCAL;

	for (int i = 0; i < 3; i++)
		if (!next(at, words[i]))
			return false;
	struct nft_expression e = nft_expression(b, "fib");
	nft_put_number(b, NFTA_FIB_DREG, NFT_REG_1);
	nft_put_number(b, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nft_put_number(b, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nft_expression_end(b, e);
	nft_compare(b, true, &local, sizeof local);
	return streq(words[0], "daddr") && streq(words[1], "type") && streq(words[2], "local");
}

/* "dnat ip to 10.0.0.2:80", "dnat ip6 to [fd00::2]:80" */
static bool change_target(struct nft_batch *b, const char **at)
{
	char family[64], to[64], word[64];
	unsigned char bytes[16];

	if (!next(at, family) || !next(at, to) || !next(at, word))
		return false;
	bool v6 = streq(family, "ip6");
	char *address = word[0] == '[' ? word + 1 : word, *colon = strrchr(word, ':');
	if (!colon)
		return false;
	uint16_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	*(word[0] == '[' ? colon - 1 : colon) = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes) != 1)
		return false;
	nft_immediate(b, NFT_REG_1, bytes, v6 ? 16 : 4);
	nft_immediate(b, NFT_REG_2, &port, sizeof port);
	struct nft_expression e = nft_expression(b, "nat");
	nft_put_number(b, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nft_put_number(b, NFTA_NAT_FAMILY, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	nft_put_number(b, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	nft_put_number(b, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	nft_expression_end(b, e);
	return true;
}

static bool put_word(struct nft_batch *b, const char *word, const char **at)
{
	if (streq(word, "ip") || streq(word, "ip6"))
		return match_address(b, at, streq(word, "ip6"));
	if (streq(word, "tcp") || streq(word, "udp"))
		return match_port(b, at, streq(word, "tcp") ? IPPROTO_TCP : IPPROTO_UDP);
	if (streq(word, "iifname") || streq(word, "oifname"))
		return match_name(b, at, streq(word, "iifname") ? NFT_META_IIFNAME : NFT_META_OIFNAME);
	if (streq(word, "iifgroup") || streq(word, "oifgroup"))
		return match_group(b, at, streq(word, "iifgroup") ? NFT_META_IIFGROUP : NFT_META_OIFGROUP);
	if (streq(word, "fib"))
		return match_local(b, at);
	if (streq(word, "dnat"))
		return change_target(b, at);
	if (streq(word, "masquerade"))
		nft_expression_end(b, nft_expression(b, "masq"));
	else if (streq(word, "drop"))
		nft_verdict(b, NF_DROP);
	else
		return false;
	return true;
}

/* ---- rules ---- */

/* Parts of a rule's user data: one byte of type, one of length, the text with its end. What has the first type nft shows as a comment
 * (NFTNL_UDATA_RULE_COMMENT of libnftnl), others it passes over. */
enum { COMMENT = 0, WORDS = 0xb1, USER_DATA_LIMIT = 256 };

static size_t put_part(char *data, size_t n, unsigned char type, const char *text)
{
	size_t len = strlen(text) + 1;

	if (n + 2 + len > USER_DATA_LIMIT || len > 255)
		return 0;
	data[n] = (char)type;
	data[n + 1] = (char)len;
	memcpy(data + n + 2, text, len);
	return n + 2 + len;
}

/* False when they are too long. */
static bool put_user_data(struct nft_batch *b, const struct step *s)
{
	char data[USER_DATA_LIMIT];
	size_t n = strlen(s->from) < TAG_ROOM ? put_part(data, 0, COMMENT, s->from) : 0;

	n = n && strlen(s->text) < RULE_ROOM ? put_part(data, n, WORDS, s->text) : 0;
	if (n)
		nft_put(b, NFTA_RULE_USERDATA, data, n);
	return n != 0;
}

/* The first word of a step's rule is its chain. */
static const char *chain_of(const struct step *s, char chain[64])
{
	const char *at = s->text;

	if (!next(&at, chain))
		chain[0] = '\0';
	return at;
}

int nft_rule(struct step *s, int fd, struct err *err)
{
	struct nft_batch b;
	char word[64], chain[64];
	const char *at = chain_of(s, chain);

	(void)fd;
	nft_begin(&b);
	nft_request(&b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family_of(s->what));
	nft_put_text(&b, NFTA_RULE_TABLE, s->to);
	nft_put_text(&b, NFTA_RULE_CHAIN, chain);
	size_t list = nft_nest(&b, NFTA_RULE_EXPRESSIONS);
	while (next(&at, word))
		if (!put_word(&b, word, &at))
			return err_set(err, EINVAL, "%s: the rule \"%s\" can't be read", s->place->name, s->text);
	nft_nest_end(&b, list);
	if (!put_user_data(&b, s))
		return err_set(err, E2BIG, "%s: names and addresses in the rule for \"%.40s\" are too long", s->place->name, s->from);
	if (run(s, &b, "the rule can't be added", err) < 0)
		return -1;
	snprintf(s->old, sizeof s->old, "1");
	return 0;
}

/* The rule with that tag and those words. One that is gone is done. */
int nft_unrule(struct step *s, int fd, struct err *err)
{
	_cleanup_free_ struct nft_row *rows = NULL;
	size_t n = 0, i = 0;
	struct nft_batch b;
	char chain[64];

	(void)fd;
	chain_of(s, chain);
	s->old[0] = '\0';
	if (nft_rows(s->place, family_of(s->what), s->to, &rows, &n, err) < 0)
		return -1;
	while (i < n && !(streq(rows[i].tag, s->from) && streq(rows[i].text, s->text)))
		i++;
	if (i == n)
		return 0;
	uint64_t handle = htobe64(rows[i].handle);
	nft_begin(&b);
	nft_request(&b, NFT_MSG_DELRULE, 0, family_of(s->what));
	nft_put_text(&b, NFTA_RULE_TABLE, s->to);
	nft_put_text(&b, NFTA_RULE_CHAIN, chain);
	nft_put(&b, NFTA_RULE_HANDLE, &handle, sizeof handle);
	if (run(s, &b, "the rule can't be deleted", err) < 0)
		return -1;
	snprintf(s->old, sizeof s->old, "1");
	return 0;
}

/* ---- reading ---- */

static void copy(char *to, size_t room, const char *from, size_t n)
{
	n = strnlen(from, n < room ? n : room - 1);
	memcpy(to, from, n);
	to[n] = '\0';
}

static void read_user_data(const unsigned char *data, size_t n, struct nft_row *row)
{
	while (n >= 2 && (size_t)data[1] + 2 <= n) {
		const char *text = (const char *)data + 2;
		if (data[0] == COMMENT)
			copy(row->tag, sizeof row->tag, text, data[1]);
		else if (data[0] == WORDS)
			copy(row->text, sizeof row->text, text, data[1]);
		n -= 2 + (size_t)data[1];
		data += 2 + data[1];
	}
}

static void read_rule(const struct nlmsghdr *h, const char *table, struct nft_row **rows, size_t *n)
{
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const struct nlattr *a = (const void *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(struct nfgenmsg)));
	struct nft_row row = { .handle = 0 };
	char name[128] = "";

	while (left >= sizeof *a && a->nla_len >= sizeof *a && a->nla_len <= left) {
		size_t step = NLA_ALIGN(a->nla_len);
		int type = a->nla_type & NLA_TYPE_MASK;
		const char *data = (const char *)a + NLA_HDRLEN;
		size_t len = a->nla_len - NLA_HDRLEN;
		if (type == NFTA_RULE_TABLE)
			copy(name, sizeof name, data, len);
		else if (type == NFTA_RULE_USERDATA)
			read_user_data((const unsigned char *)data, len, &row);
		else if (type == NFTA_RULE_HANDLE && a->nla_len == NLA_HDRLEN + sizeof row.handle)
			memcpy(&row.handle, (const char *)a + NLA_HDRLEN, sizeof row.handle);
		if (step >= left)
			break;
		left -= step;
		a = (const void *)((const char *)a + step);
	}
	row.handle = be64toh(row.handle);
	if (table ? streq(name, table) : starts_with(name, "belljar."))
		*GROW(rows, n) = row;
}

/* The answers to a listing, up to its end. 0 or an errno. */
static int read_rules(int sock, const char *table, struct nft_row **rows, size_t *n)
{
	_Alignas(8) char room[32768];
	ssize_t got;

	while ((got = recv(sock, room, sizeof room, MSG_DONTWAIT)) > 0) {
		size_t left = (size_t)got;
		for (struct nlmsghdr *h = (void *)room; left >= sizeof *h && h->nlmsg_len >= sizeof *h && h->nlmsg_len <= left;) {
			size_t step = NLMSG_ALIGN(h->nlmsg_len);
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) &&
			    h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg)))
				read_rule(h, table, rows, n);
			if (step >= left)
				break;
			left -= step;
			h = (void *)((char *)h + step);
		}
	}
	return EPROTO;
}

int nft_rows(struct place *p, int family, const char *name, struct nft_row **rows, size_t *n, struct err *err)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg body;
	} ask = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof ask.body), .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 },
	};
	_cleanup_close_ int sock = nft_open(p, err);

	*rows = NULL;
	*n = 0;
	if (sock < 0)
		return -1;
	int number = send(sock, &ask, sizeof ask, 0) < 0 ? errno : read_rules(sock, name, rows, n);
	if (number == 0 || number == ENOENT || number == EOPNOTSUPP)
		return 0;
	free(*rows);
	*rows = NULL;
	*n = 0;
	return err_set(err, number, "%s: can't read its rules", p->name);
}
