/*
 * probe.c - one real packet from inside a place, and what became of it
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "kern/joined.h"
#include "kern/probe.h"
#include "kern/step.h"

struct echo {
	struct icmphdr head;   /* IPv6's has the same form */
	char words[32];
};

struct flight {
	struct probe *probe;
	int sock;
	uint16_t id;
	struct trace *traces;  /* as many as probe->n_watch; those with socket -1 are not watched */
	struct pollfd *polls;
	int64_t begun;         /* now_ns() */
};

static bool v6(const struct probe *p)
{
	return p->packet.family == AF_INET6;
}

/* ---- sending ---- */

static int open_raw(void *arg, struct err *err)
{
	struct flight *f = arg;
	const struct probe *p = f->probe;

	f->sock = p->port ? socket(p->packet.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) :
		socket(p->packet.family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, v6(p) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	return f->sock < 0 ? err_set(err, errno, "no socket for a probe") : 0;
}

static socklen_t target(const struct probe *p, struct sockaddr_storage *to)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(p->port) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(p->port) };

	memcpy(&a.sin_addr, p->packet.to, 4);
	memcpy(&a6.sin6_addr, p->packet.to, 16);
	memcpy(to, v6(p) ? (void *)&a6 : (void *)&a, v6(p) ? sizeof a6 : sizeof a);
	return v6(p) ? sizeof a6 : sizeof a;
}

/* RFC 1071. IPv6's is made by the kernel. */
static uint16_t checksum(const void *data, size_t n)
{
	const uint16_t *at = data;
	uint32_t sum = 0;

	for (; n > 1; n -= 2)
		sum += *at++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* 0, or the errno of a packet that did not leave. */
static int launch(struct flight *f)
{
	struct probe *p = f->probe;
	struct sockaddr_storage to = { 0 };
	socklen_t size = target(p, &to);

	f->begun = now_ns();
	if (p->hops)
		setsockopt(f->sock, v6(p) ? IPPROTO_IPV6 : IPPROTO_IP, v6(p) ? IPV6_UNICAST_HOPS : IP_TTL, &p->hops, sizeof p->hops);
	if (p->port)
		return connect(f->sock, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS ? errno : 0;
	struct echo e = { .head = { .type = v6(p) ? ICMP6_ECHO_REQUEST : ICMP_ECHO }, .words = "a probe of belljar" };
	e.head.un.echo.id = f->id;
	e.head.un.echo.sequence = htons(1);
	e.head.checksum = v6(p) ? 0 : checksum(&e, sizeof e);
	to = (struct sockaddr_storage){ 0 };
	size = target(p, &to);
	return sendto(f->sock, &e, sizeof e, 0, (struct sockaddr *)&to, size) < 0 ? errno : 0;
}

/* ---- answers ---- */

/* The errno that an error message of ICMP stands for, 0 when it is none. */
static int number_of(const struct icmphdr *m, bool six)
{
	if (six)
		return m->type == ICMP6_TIME_EXCEEDED ? ETIME : m->type != ICMP6_DST_UNREACH ? 0 :
			m->code == ICMP6_DST_UNREACH_ADMIN ? EACCES : m->code == ICMP6_DST_UNREACH_NOROUTE ? ENETUNREACH : EHOSTUNREACH;
	return m->type == ICMP_TIME_EXCEEDED ? ETIME : m->type != ICMP_DEST_UNREACH ? 0 :
		m->code == ICMP_NET_UNREACH ? ENETUNREACH : m->code == ICMP_PKT_FILTERED || m->code == ICMP_NET_ANO || m->code == ICMP_HOST_ANO ? EACCES :
		EHOSTUNREACH;
}

/* True: it was about our packet. */
static bool read_echo(struct flight *f)
{
	struct probe *p = f->probe;
	_Alignas(8) unsigned char room[2048];
	struct sockaddr_storage from = { 0 };
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(f->sock, room, sizeof room, 0, (struct sockaddr *)&from, &size);
	size_t skip = n > 0 && !v6(p) ? (room[0] & 15u) * 4 : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		p->result = PROBE_REFUSED;
		p->number = errno;
		return true;
	}
	if (n < (ssize_t)(skip + sizeof(struct icmphdr)))
		return false;
	struct icmphdr m, inner;
	memcpy(&m, room + skip, sizeof m);
	if (m.type == (v6(p) ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && m.un.echo.id == f->id) {
		p->result = PROBE_ANSWERED;
		return true;
	}
	/* An error carries the beginning of the packet that it is about. */
	size_t about = skip + sizeof m, header = v6(p) ? 40 : (size_t)n > about ? (room[about] & 15u) * 4 : 0;
	int number = number_of(&m, v6(p));
	if (!number || (size_t)n < about + header + sizeof inner)
		return false;
	memcpy(&inner, room + about + header, sizeof inner);
	if (inner.un.echo.id != f->id)
		return false;
	p->result = PROBE_REFUSED;
	p->number = number;
	const void *address = v6(p) ? (void *)&((struct sockaddr_in6 *)(void *)&from)->sin6_addr : (void *)&((struct sockaddr_in *)(void *)&from)->sin_addr;
	inet_ntop(p->packet.family, address, p->by, sizeof p->by);
	return true;
}

static bool read_connection(struct flight *f)
{
	int number = 0;
	socklen_t size = sizeof number;

	getsockopt(f->sock, SOL_SOCKET, SO_ERROR, &number, &size);
	f->probe->result = number ? PROBE_REFUSED : PROBE_ANSWERED;
	f->probe->number = number;
	return true;
}

/* ---- waiting ---- */

static bool read_traces(struct flight *f)
{
	for (size_t i = 0; i < f->probe->n_watch; i++)
		if (f->traces[i].sock >= 0 && trace_read(&f->traces[i], &f->probe->packet, &f->probe->drop)) {
			f->probe->dropped = f->probe->watch[i];
			return true;
		}
	return false;
}

static void wait_for_answer(struct flight *f)
{
	struct probe *p = f->probe;
	int64_t left;

	f->polls[p->n_watch] = (struct pollfd){ .fd = f->sock, .events = p->port ? POLLOUT : POLLIN };
	for (size_t i = 0; i < p->n_watch; i++)
		f->polls[i] = (struct pollfd){ .fd = f->traces[i].sock, .events = POLLIN };
	while ((left = p->wait_ms - (now_ns() - f->begun) / 1000000) > 0 && !stop_asked() && !stop_interrupted()) {
		if (poll(f->polls, p->n_watch + 1, (int)left) <= 0)
			continue;
		if ((f->polls[p->n_watch].revents && (p->port ? read_connection(f) : read_echo(f))) || read_traces(f))
			break;
	}
	p->ns = now_ns() - f->begun;
	/* What a rule that rejects says may come first. */
	if (p->result != PROBE_ANSWERED && !p->dropped)
		read_traces(f);
}

int probe_run(struct step *s, int fd, struct err *err)
{
	struct probe *p = s->probe;
	struct flight f = { .probe = p, .sock = -1, .traces = xcalloc(p->n_watch + 1, sizeof *f.traces),
			    .polls = xcalloc(p->n_watch + 1, sizeof *f.polls) };
	int result = s->place->own[NS_NET] ? joined_run(s->place, 1u << NS_NET, 0, NULL, open_raw, &f, err) : open_raw(&f, err);
	struct err none = { 0 };

	(void)fd;
	p->result = PROBE_SILENT;
	p->number = 0;
	p->by[0] = '\0';
	p->dropped = NULL;
	if (getrandom(&f.id, sizeof f.id, 0) != sizeof f.id)
		f.id = (uint16_t)getpid();
	for (size_t i = 0; i < p->n_watch; i++) {
		f.traces[i].sock = -1;
		/* Where they can't be watched, the probe still tells whether it gets through. */
		if (result == 0)
			trace_open(&f.traces[i], p->watch[i], &p->packet, &none);
	}
	if (result == 0) {
		p->number = launch(&f);
		if (p->number) {
			p->result = PROBE_REFUSED;
			read_traces(&f);
		} else {
			wait_for_answer(&f);
		}
	} else {
		err_wrap(err, "%s: ", s->place->name);
	}
	for (size_t i = 0; i < p->n_watch; i++)
		if (f.traces[i].sock >= 0)
			close(f.traces[i].sock);
	if (f.sock >= 0)
		close(f.sock);
	free(f.traces);
	free(f.polls);
	return result;
}
