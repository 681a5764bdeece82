/*
 * net.c - the network module: connections, requests and answers
 *
 * A connection is a netlink socket. It belongs to the net namespace it was opened in for ever, whoever uses it, so a socket that an
 * instant's visitor opened inside lets belljar work there from outside. A place may get another net namespace (unshare, join, share): a
 * connection knows which one it was opened in, and is opened anew when that has changed.
 *
 * The kernel performs a request and queues its answer before the call that sends it returns. So the sockets never wait: when no answer is
 * there, it was lost (no memory for it), and belljar says so instead of hanging.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/joined.h"
#include "kern/net_conn.h"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

/* RECEIVE: an answer about one link is up to about 6 KiB, a part of a dump up to 32. ATTEMPTS: reading is tried again after an error, because
 * the answer may be there still, and after an interrupted dump. */
enum { RECEIVE = 64 * 1024, ATTEMPTS = 4 };

struct net_conn {
	struct nl_sock *sock;
	struct nl_cb *callbacks;
	dev_t dev;             /* which namespace it is in: device and inode of its file */
	ino_t ino;
	unsigned sequence;     /* of the request whose answer is being read */
	int number;            /* its errno */
	bool done;             /* it has been acknowledged, or the dump is complete */
	bool again;            /* the dump was interrupted by a change */
	void (*row)(const struct nlmsghdr *, void *);
	void *arg;
	char said[256];
};

/* ---- messages ---- */

struct nl_msg *net_message(int type, int flags, const void *header, size_t n)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (!m || nlmsg_append(m, (void *)header, n, NLMSG_ALIGNTO) < 0)
		abort();       /* out of memory, as in base/mem.h */
	return m;
}

void net_message_free(struct nl_msg **m)
{
	nlmsg_free(*m);
}

/* A message has room for a page, and no request of ours comes near that: names and addresses are short and were checked. */
void net_put(struct nl_msg *m, int type, const void *data, size_t n)
{
	if (n > 1024 || nla_put(m, type, (int)n, data) < 0)
		abort();
}

void net_put_text(struct nl_msg *m, int type, const char *text)
{
	net_put(m, type, text, strlen(text) + 1);
}

void net_put_number(struct nl_msg *m, int type, uint32_t n)
{
	net_put(m, type, &n, sizeof n);
}

struct nlattr *net_nest(struct nl_msg *m, int type)
{
	struct nlattr *nest = nla_nest_start(m, type);

	if (!nest)
		abort();
	return nest;
}

void net_nest_end(struct nl_msg *m, struct nlattr *nest)
{
	nla_nest_end(m, nest);
}

/* ---- answers ---- */

static int on_row(struct nl_msg *m, void *arg)
{
	struct net_conn *c = arg;

	if (c->row)
		c->row(nlmsg_hdr(m), c->arg);
	return NL_OK;
}

static int on_done(struct nl_msg *m, void *arg)
{
	struct net_conn *c = arg;

	(void)m;
	c->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *m, void *arg)
{
	struct net_conn *c = arg;

	(void)m;
	c->again = true;
	return NL_OK;
}

/* The answer to an earlier request, whose reading had failed, is passed over. */
static int on_sequence(struct nl_msg *m, void *arg)
{
	const struct net_conn *c = arg;

	return nlmsg_hdr(m)->nlmsg_seq == c->sequence ? NL_OK : NL_SKIP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct net_conn *c = arg;
	struct nlmsghdr *head = (struct nlmsghdr *)(void *)((char *)e - NLMSG_HDRLEN);
	struct nlattr *texts[NLMSGERR_ATTR_MAX + 1] = { NULL };
	size_t skip = sizeof *e;

	(void)from;
	c->number = -e->error;
	c->done = true;
	/* Behind the answer stands the request, unless it was left out, and then the attributes. */
	if (!(head->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len >= NLMSG_HDRLEN)
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
	if ((head->nlmsg_flags & NLM_F_ACK_TLVS) && head->nlmsg_len > NLMSG_HDRLEN + skip) {
		struct nlattr *first = (struct nlattr *)(void *)((char *)e + NLMSG_ALIGN(skip));
		int room = (int)(head->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip));
		nla_parse(texts, NLMSGERR_ATTR_MAX, first, room, NULL);
		if (texts[NLMSGERR_ATTR_MSG])
			nla_strlcpy(c->said, texts[NLMSGERR_ATTR_MSG], sizeof c->said);
	}
	return NL_STOP;
}

const char *net_said(const struct net_conn *c)
{
	return c->said[0] ? c->said : NULL;
}

static int send_and_read(struct net_conn *c, struct nl_msg *m)
{
	int tries = 0;

	c->number = 0;
	c->done = c->again = false;
	c->said[0] = '\0';
	/* The same message may go out twice: it gets a new number each time. */
	nlmsg_hdr(m)->nlmsg_seq = NL_AUTO_SEQ;
	errno = 0;
	if (nl_send_auto(c->sock, m) < 0)
		return errno ? errno : EIO;
	c->sequence = nlmsg_hdr(m)->nlmsg_seq;
	while (!c->done) {
		int result = nl_recvmsgs(c->sock, c->callbacks);
		if (!c->done && result < 0 && (result == -NLE_AGAIN || ++tries == ATTEMPTS))
			return EPROTO;
	}
	return c->number;
}

int net_ask(struct net_conn *c, struct nl_msg *m, void (*row)(const struct nlmsghdr *head, void *arg), void *arg)
{
	int result = EAGAIN;

	c->row = row;
	c->arg = arg;
	for (int i = 0; i < ATTEMPTS; i++) {
		if (row)
			row(NULL, arg);
		result = send_and_read(c, m);
		if (result || !c->again)
			break;
	}
	return result;
}

/* ---- short questions ---- */

static int question(struct net_conn *c, unsigned long what, const char *name, struct ifreq *r)
{
	size_t n = strlen(name);

	if (n >= sizeof r->ifr_name)
		return -1;
	*r = (struct ifreq){ 0 };
	memcpy(r->ifr_name, name, n + 1);
	return ioctl(nl_socket_get_fd(c->sock), what, r);
}

int net_index(struct net_conn *c, const char *name)
{
	struct ifreq r;

	return question(c, SIOCGIFINDEX, name, &r) < 0 ? 0 : r.ifr_ifindex;
}

bool net_name(struct net_conn *c, int index, char name[IFNAMSIZ])
{
	struct ifreq r = { .ifr_ifindex = index };

	if (ioctl(nl_socket_get_fd(c->sock), SIOCGIFNAME, &r) < 0)
		return false;
	memcpy(name, r.ifr_name, IFNAMSIZ);
	return true;
}

int net_flags(struct net_conn *c, const char *name)
{
	struct ifreq r;

	return question(c, SIOCGIFFLAGS, name, &r) < 0 ? -1 : (int)(unsigned short)r.ifr_flags;
}

/* ---- connections ---- */

int net_netns(const struct place *p, struct err *err)
{
	int fd = p->own[NS_NET] ? fcntl(p->ns[NS_NET], F_DUPFD_CLOEXEC, 3) : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_set(err, errno, "%s: can't open its net namespace", p->name) : fd;
}

static int open_socket(void *arg, struct err *err)
{
	int *fd = arg;

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	return *fd < 0 ? err_set(err, errno, "no netlink socket") : 0;
}

/* belljar goes there itself and comes back, which is a tenth of the work of a child. 1 when that is not possible: an ordinary user's belljar
 * may not enter the host's namespace again, and so must not leave it. Otherwise 0 or -1 with err. */
static int open_there(const struct place *p, int *fd, struct err *err)
{
	_cleanup_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct timespec moment = { .tv_nsec = 1000000 };

	if (home < 0 || setns(home, CLONE_NEWNET) < 0 || setns(p->ns[NS_NET], CLONE_NEWNET) < 0)
		return 1;
	int result = open_socket(fd, err);
	/* It was possible a moment ago, so what is missing is memory. In a wrong namespace belljar must not go on. */
	for (int i = 0; setns(home, CLONE_NEWNET) < 0; i++) {
		if (i == ATTEMPTS)
			abort();
		nanosleep(&moment, NULL);
	}
	return result;
}

static int open_inside(const struct place *p, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int yes = 1, result = 1;

	if (p->own[NS_NET])
		result = open_there(p, &fd, err);
	if (result > 0)
		result = p->own[NS_NET] ? joined_run(p, 1u << NS_NET, 0, NULL, open_socket, &fd, err) : open_socket(&fd, err);
	if (result < 0)
		return err_wrap(err, "%s: ", p->name);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
		return err_set(err, errno, "%s: can't bind a netlink socket", p->name);
	/* Kernels that don't know these only say less and check less. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof yes);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof yes);
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof yes);
	return move_fd(&fd);
}

static struct net_conn *make(int fd)
{
	struct net_conn *c = xcalloc(1, sizeof *c);

	c->callbacks = nl_cb_alloc(NL_CB_CUSTOM);
	c->sock = c->callbacks ? nl_socket_alloc_cb(c->callbacks) : NULL;
	if (!c->sock)
		abort();       /* out of memory */
	nl_cb_set(c->callbacks, NL_CB_VALID, NL_CB_CUSTOM, on_row, c);
	nl_cb_set(c->callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_done, c);
	nl_cb_set(c->callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_done, c);
	nl_cb_set(c->callbacks, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, c);
	nl_cb_set(c->callbacks, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, c);
	nl_cb_err(c->callbacks, NL_CB_CUSTOM, on_error, c);
	nl_socket_disable_msg_peek(c->sock);
	nl_socket_set_msg_buf_size(c->sock, RECEIVE);
	if (nl_socket_set_fd(c->sock, NETLINK_ROUTE, fd) < 0) {
		net_close(c);
		return NULL;
	}
	return c;
}

/* Which net namespace the place is in now. */
static int where(const struct place *p, struct stat *st)
{
	return p->own[NS_NET] ? fstat(p->ns[NS_NET], st) : stat("/proc/self/ns/net", st);
}

struct net_conn *net_open(struct place *p, struct err *err)
{
	struct stat st;

	if (where(p, &st) < 0) {
		err_set(err, errno, "%s: can't look at its net namespace", p->name);
		return NULL;
	}
	if (p->net && p->net->ino == st.st_ino && p->net->dev == st.st_dev)
		return p->net;
	_cleanup_close_ int fd = open_inside(p, err);
	if (fd < 0)
		return NULL;
	struct net_conn *c = make(fd);
	if (!c) {
		err_set(err, EINVAL, "%s: the netlink library refuses the socket", p->name);
		return NULL;
	}
	move_fd(&fd);
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	if (p->net)
		net_close(p->net);
	return p->net = c;
}

int net_socket(const struct net_conn *c)
{
	return nl_socket_get_fd(c->sock);
}

void net_close(struct net_conn *c)
{
	nl_socket_free(c->sock);
	nl_cb_put(c->callbacks);
	free(c);
}

__attribute__((visibility("default"))) extern const struct net_api net_module;
const struct net_api net_module = {
	.conn = net_open,
	.close = net_close,
	.bridge = net_bridge,
	.veth = net_veth,
	.unlink = net_unlink,
	.set_up = net_set_up,
	.addr = net_addr,
	.route = net_route,
	.device = net_device,
	.alter = net_alter,
	.lend = net_lend,
	.give_back = net_return,
	.save = net_save,
	.find = net_find,
	.nsid = net_nsid,
	.links = net_links,
	.addrs = net_addrs,
	.routes = net_routes,
	.neighbours = net_neighbours,
	.table = net_table,
	.way = net_way,
	.forwards = net_forwards,
	.port = net_port,
	.learnt = net_learnt,
	.vxlan = net_vxlan,
	.reshape = net_reshape,
	.shaped = net_shape,
};
