/*
 * network_pool.c - a bridge as a pool of addresses
 *
 * An address is its subnet and a number in it (of IPv6 the last 64 bits; belljar hands out no others), so what is taken is a sorted array of
 * numbers. They are handed out upwards: an address that was given back serves again only when the others are used up, so that what a
 * neighbour remembers of its last owner is forgotten by then.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"

struct address {
	int family;            /* 0: none */
	unsigned length;       /* of the prefix, in bits */
	uint64_t high, low;    /* IPv4 stands in low */
};

struct pool {
	struct place *place;
	char bridge[IFNAMSIZ];
	struct address subnet; /* bits behind the prefix are 0 */
	uint64_t *taken;       /* sorted */
	size_t n;
	uint64_t next;         /* the number to be tried first */
};

struct pools {
	struct pool *pools;
	size_t n;
};

/* ---- addresses as numbers ---- */

static struct address read_address(const char *cidr)
{
	const char *slash = strchr(cidr, '/');
	char text[INET6_ADDRSTRLEN] = "";
	unsigned char b[16] = { 0 };
	struct address a = { .family = network_v6(cidr) ? AF_INET6 : AF_INET };
	unsigned most = a.family == AF_INET ? 32 : 128;
	size_t n = slash ? (size_t)(slash - cidr) : strlen(cidr);

	if (n >= sizeof text)
		return (struct address){ 0 };
	memcpy(text, cidr, n);
	if (inet_pton(a.family, text, b) != 1)
		return (struct address){ 0 };
	a.length = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : most;
	a.length = a.length > most ? most : a.length;
	for (unsigned i = 0; i < most / 8; i++) {
		uint64_t *half = a.family == AF_INET || i >= 8 ? &a.low : &a.high;
		*half = *half << 8 | b[i];
	}
	return a;
}

static void write_address(const struct address *a, char cidr[CIDR_ROOM])
{
	unsigned char b[16];
	char text[INET6_ADDRSTRLEN];
	unsigned size = a->family == AF_INET ? 4 : 16;

	for (unsigned i = 0; i < size; i++) {
		unsigned from_end = size - 1 - i;
		b[i] = (unsigned char)((from_end >= 8 ? a->high : a->low) >> 8 * (from_end % 8));
	}
	snprintf(cidr, CIDR_ROOM, "%s/%u", inet_ntop(a->family, b, text, sizeof text), a->length);
}

/* LENGTH bits from the left of a number of BITS. */
static uint64_t mask(unsigned bits, unsigned length)
{
	uint64_t all = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

	return length == 0 ? 0 : length >= bits ? all : all & ~(all >> length);
}

static uint64_t low_mask(const struct address *a)
{
	return a->family == AF_INET ? mask(32, a->length) : a->length <= 64 ? 0 : mask(64, a->length - 64);
}

static struct address subnet_of(const struct address *a)
{
	struct address s = *a;

	s.low &= low_mask(a);
	s.high &= a->family == AF_INET ? 0 : mask(64, a->length);
	return s;
}

/* The number of an address in its subnet. */
static uint64_t number_in(const struct address *a)
{
	return a->low & ~low_mask(a) & (a->family == AF_INET ? UINT32_MAX : UINT64_MAX);
}

static bool is_inside(const struct address *a, const struct address *subnet)
{
	struct address b = *a;

	b.length = subnet->length;
	b = subnet_of(&b);
	return a->family == subnet->family && b.high == subnet->high && b.low == subnet->low;
}

static bool overlap(const struct address *a, const struct address *b)
{
	struct address sa = subnet_of(a), sb = subnet_of(b);

	return sa.length <= sb.length ? is_inside(&sb, &sa) : is_inside(&sa, &sb);
}

bool pool_is_inside(const char *cidr, const char *of)
{
	struct address a = read_address(cidr), b = read_address(of);

	b = subnet_of(&b);
	return a.family && b.family && is_inside(&a, &b);
}

void pool_subnet(const char *cidr, char subnet[CIDR_ROOM])
{
	struct address a = read_address(cidr);

	a = subnet_of(&a);
	write_address(&a, subnet);
}

/* The largest number that can be given: the last address of an IPv4 subnet is for broadcast. */
static uint64_t last_number(const struct address *subnet)
{
	uint64_t all = ~low_mask(subnet) & (subnet->family == AF_INET ? UINT32_MAX : UINT64_MAX);

	return subnet->family == AF_INET && subnet->length < 31 ? all - 1 : all;
}

static uint64_t first_number(const struct address *subnet)
{
	return (subnet->family == AF_INET ? 32 : 128) - subnet->length > 1 ? 1 : 0;
}

/* ---- what is taken ---- */

/* Where NUMBER stands, or would. */
static size_t position(const struct pool *p, uint64_t number)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->taken[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_taken(const struct pool *p, uint64_t number)
{
	size_t at = position(p, number);

	return at < p->n && p->taken[at] == number;
}

static void take(struct pool *p, uint64_t number)
{
	size_t at = position(p, number);

	if (at < p->n && p->taken[at] == number)
		return;
	GROW(&p->taken, &p->n);
	memmove(&p->taken[at + 1], &p->taken[at], (p->n - 1 - at) * sizeof *p->taken);
	p->taken[at] = number;
}

static void take_if_inside(struct pool *p, const char *cidr)
{
	struct address a = read_address(cidr);

	if (a.family && is_inside(&a, &p->subnet)) {
		a.length = p->subnet.length;
		take(p, number_in(&a));
	}
}

static int read_place(struct session *s, struct pool *pool, struct place *p, struct err *err)
{
	_cleanup_free_ struct net_addr *addrs = NULL;
	const struct net_api *net = net_api(err);
	size_t n = 0;

	if (!net)
		return -1;
	if (network_known(s, p) && net->addrs(p, NULL, &addrs, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		take_if_inside(pool, addrs[i].cidr);
	return 0;
}

static int read_taken(struct session *s, struct pool *pool, struct err *err)
{
	const struct step *done;

	pool->n = 0;
	if (read_place(s, pool, pool->place, err) < 0)
		return -1;
	for (size_t i = 0; i < s->n_sandboxes; i++)
		if (s->sandboxes[i]->place.own[NS_NET] && read_place(s, pool, &s->sandboxes[i]->place, err) < 0)
			return -1;
	for (size_t i = 0; s->gate.dry && (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_ADDR)
			take_if_inside(pool, done->text);
	return 0;
}

/* The pool of the bridge in SUBNET, made when there is none. NULL with err. */
static struct pool *find_pool(struct session *s, struct place *p, const char *bridge, const struct address *of, struct err *err)
{
	struct address subnet = subnet_of(of);

	if (!s->pools)
		s->pools = xcalloc(1, sizeof *s->pools);
	for (size_t i = 0; i < s->pools->n; i++) {
		struct pool *pool = &s->pools->pools[i];
		if (pool->place == p && streq(pool->bridge, bridge) && memcmp(&pool->subnet, &subnet, sizeof subnet) == 0)
			return pool;
	}
	struct pool fresh = { .place = p, .subnet = subnet, .next = first_number(&subnet) };
	network_set_name(fresh.bridge, bridge);
	if (read_taken(s, &fresh, err) < 0) {
		free(fresh.taken);
		return NULL;
	}
	struct pool *pool = GROW(&s->pools->pools, &s->pools->n);
	*pool = fresh;
	return pool;
}

void pool_forget(struct session *s)
{
	for (size_t i = 0; s->pools && i < s->pools->n; i++)
		free(s->pools->pools[i].taken);
	if (s->pools)
		free(s->pools->pools);
	free(s->pools);
	s->pools = NULL;
}

/* ---- the bridge's own ---- */

static void add_own(struct pool_addresses *own, const char *cidr)
{
	for (size_t i = 0; i < own->n; i++)
		if (streq(own->cidr[i], cidr))
			return;
	if (own->n < POOL_ADDRESSES)
		snprintf(own->cidr[own->n++], CIDR_ROOM, "%s", cidr);
}

static void planned_own(const struct session *s, const struct place *p, const char *bridge, struct pool_addresses *own)
{
	const struct step *done;

	for (size_t i = 0; (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_ADDR && done->place == p && streq(done->to, bridge))
			add_own(own, done->text);
}

int pool_of(struct session *s, struct place *p, const char *bridge, struct pool_addresses *own, struct err *err)
{
	_cleanup_free_ struct net_addr *addrs = NULL;
	const struct net_api *net = net_api(err);
	size_t n = 0;

	own->n = 0;
	if (!net || (network_known(s, p) && net->addrs(p, bridge, &addrs, &n, err) < 0))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!addrs[i].automatic)
			add_own(own, addrs[i].cidr);
	if (s->gate.dry)
		planned_own(s, p, bridge, own);
	return 0;
}

/* ---- giving ---- */

/* The first free number from pool->next on; false when there is none up to the end. */
static bool find_free(struct pool *pool)
{
	uint64_t last = last_number(&pool->subnet);

	while (pool->next <= last && is_taken(pool, pool->next))
		pool->next++;
	return pool->next <= last;
}

static int give(struct session *s, struct pool *pool, char cidr[CIDR_ROOM], struct err *err)
{
	if (!find_free(pool)) {
		/* Some may have been given back. */
		pool->next = first_number(&pool->subnet);
		if (read_taken(s, pool, err) < 0)
			return -1;
		if (!find_free(pool)) {
			write_address(&pool->subnet, cidr);
			err_set(err, ENOSPC, "%s: no address of %s is free", pool->bridge, cidr);
			err_why(err, "all %zu are taken", pool->n);
			return err_try(err, "addr %s:%s ADDRESS/LENGTH, another subnet for the bridge", pool->place->name, pool->bridge);
		}
	}
	struct address a = pool->subnet;
	a.low |= pool->next;
	take(pool, pool->next++);
	write_address(&a, cidr);
	return 0;
}

int pool_take(struct session *s, struct place *p, const char *bridge, struct pool_addresses *given, struct err *err)
{
	struct pool_addresses own;

	given->n = 0;
	if (pool_of(s, p, bridge, &own, err) < 0)
		return -1;
	for (size_t i = 0; i < own.n; i++) {
		struct address a = read_address(own.cidr[i]);
		struct pool *pool = find_pool(s, p, bridge, &a, err);
		if (!pool || give(s, pool, given->cidr[given->n], err) < 0)
			return -1;
		given->n++;
	}
	return 0;
}

/* ---- what the user gives ---- */

static bool has_address(const struct network_row *row, const char *cidr)
{
	size_t n = strcspn(cidr, "/");

	for (const char *at = row->addresses; *at; at += strcspn(at, " "), at += *at == ' ')
		if (strncmp(at, cidr, n) == 0 && at[n] == '/')
			return true;
	return false;
}

/* Is ROW the bridge, or the other end of one of its ports? */
static bool is_on(const struct network_row *rows, size_t n, const struct network_row *row, const struct pool *pool)
{
	if (streq(row->where, pool->place->name) && streq(row->link.name, pool->bridge))
		return true;
	for (size_t i = 0; i < n && row->peer; i++) {
		const char *link = strchr(row->peer, ':');
		if (rows[i].bridge && streq(rows[i].bridge, pool->bridge) && streq(rows[i].where, pool->place->name) && link &&
		    streq(rows[i].link.name, link + 1) && starts_with(row->peer, pool->place->name))
			return true;
	}
	return false;
}

/* Is it in use at the pool's bridge? With LINK of WHERE: by another link than that, if that is at the bridge itself. 0, or -1 with err. */
static int in_use(struct session *s, const struct pool *pool, const char *where, const char *link, const char *cidr, struct err *err)
{
	struct network_row *rows;
	size_t n;
	int found = 0;
	bool matters = !link;

	if (network_links(s, "all", &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && link && !matters; i++)
		matters = streq(rows[i].where, where) && streq(rows[i].link.name, link) && is_on(rows, n, &rows[i], pool);
	for (size_t i = 0; i < n && !found && matters; i++)
		if (!(link && streq(rows[i].where, where) && streq(rows[i].link.name, link)) && has_address(&rows[i], cidr) && is_on(rows, n, &rows[i], pool)) {
			found = err_set(err, EADDRINUSE, "%s: %s:%s has the address %.*s already", pool->bridge, rows[i].where,
					rows[i].link.name, (int)strcspn(cidr, "/"), cidr);
			err_try(err, "the same without an address, and a free one is chosen");
		}
	network_free_rows(rows, n);
	return found;
}

int pool_claim(struct session *s, struct place *p, const char *bridge, const char *cidr, struct err *err)
{
	struct address a = read_address(cidr);
	struct pool *pool = a.family ? find_pool(s, p, bridge, &a, err) : NULL;

	if (!pool)
		return a.family ? -1 : 0;
	if (is_taken(pool, number_in(&a)) && !s->gate.dry && in_use(s, pool, NULL, NULL, cidr, err) < 0)
		return -1;
	take(pool, number_in(&a));
	return 0;
}

int pool_claim_link(struct session *s, const char *where, const char *link, const char *cidr, struct err *err)
{
	struct address a = read_address(cidr);

	for (size_t i = 0; s->pools && i < s->pools->n; i++) {
		struct pool *pool = &s->pools->pools[i];
		if (!is_inside(&a, &pool->subnet))
			continue;
		if (is_taken(pool, number_in(&a)) && !s->gate.dry && in_use(s, pool, where, link, cidr, err) < 0)
			return -1;
		take_if_inside(pool, cidr);
	}
	return 0;
}

static int overlaps(const struct place *p, const char *link, const char *cidr, const char *other, const char *its, struct err *err)
{
	struct address a = read_address(cidr), b = read_address(its);

	if (!a.family || !b.family || a.family != b.family || streq(link, other) || !overlap(&a, &b))
		return 0;
	err_set(err, EEXIST, "%s: %s and %s of %s are overlapping subnets", p->name, cidr, its, other);
	return err_why(err, "two subnets in one place must not share addresses: nobody could say which a packet is for");
}

int pool_apart(struct session *s, struct place *p, const char *link, const char *cidr, struct err *err)
{
	_cleanup_free_ struct net_addr *addrs = NULL;
	_cleanup_free_ struct net_link *links = NULL;
	const struct net_api *net = net_api(err);
	size_t n = 0, n_links = 0;
	const struct step *done;

	if (!net)
		return -1;
	if (network_known(s, p) && (net->addrs(p, NULL, &addrs, &n, err) < 0 || net->links(p, &links, &n_links, err) < 0))
		return -1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n_links; k++)
			if (links[k].index == addrs[i].index && !addrs[i].automatic &&
			    overlaps(p, link, cidr, links[k].name, addrs[i].cidr, err) < 0)
				return -1;
	for (size_t i = 0; s->gate.dry && (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_ADDR && done->place == p && overlaps(p, link, cidr, done->to, done->text, err) < 0)
			return -1;
	return 0;
}

int pool_choose(struct session *s, char cidr[CIDR_ROOM], struct err *err)
{
	struct place *places[] = { &s->lab, &s->host };

	for (int second = 17; second < 32; second++) {
		int taken = 0;
		snprintf(cidr, CIDR_ROOM, "172.%d.0.1/16", second);
		for (size_t i = 0; i < ARRAY_SIZE(places) && !taken; i++) {
			struct err one = { 0 };
			if (places[i] == &s->lab && !s->lab.own[NS_NET])
				continue;
			taken = pool_apart(s, places[i], "", cidr, &one);
			if (taken && one.number != EEXIST) {
				*err = one;
				return -1;
			}
		}
		if (!taken)
			return 0;
	}
	err_set(err, ENOSPC, "all of 172.17.0.0/16 to 172.31.0.0/16 are taken");
	return err_try(err, "bridge NAME ADDRESS/LENGTH, with a subnet of your choice");
}
