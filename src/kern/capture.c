/*
 * capture.c - seeing the packets of a link, and writing them down
 *
 * The socket is opened inside by an instant's visitor and read from here: a packet socket sees the net namespace it was opened in.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/stop.h"
#include "kern/capture.h"
#include "kern/joined.h"
#include "kern/step.h"

/* LONGEST: segments that were not cut yet are up to 64 KiB (192 with BIG TCP), and a VLAN tag more. WAITING: room for packets that wait. */
enum { LONGEST = 256 * 1024, WAITING = 16 * 1024 * 1024 };

static int open_packet_socket(void *arg, struct err *err)
{
	int *fd = arg;

	/* Protocol 0: it gets nothing before it is bound to the link. */
	*fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *fd < 0 ? err_set(err, errno, "no packet socket") : 0;
}

int capture_socket(const struct place *p, const char *link, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct ifreq r = { 0 };
	int room = WAITING, yes = 1;

	int result = p->own[NS_NET] ? joined_run(p, 1u << NS_NET, 0, NULL, open_packet_socket, &fd, err) : open_packet_socket(&fd, err);
	if (result < 0)
		return err_wrap(err, "%s: ", p->name);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", link);
	if (ioctl(fd, SIOCGIFINDEX, &r) < 0)
		return err_set(err, errno, "%s: no link %s", p->name, link);
	/* Without the right to force it, the usual room has to do. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof yes);
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = r.ifr_ifindex };
	if (bind(fd, (struct sockaddr *)&where, sizeof where) < 0)
		return err_set(err, errno, "%s: can't listen at %s", p->name, link);
	return move_fd(&fd);
}

/* ---- pcap-ng ---- */

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, BYTE_ORDER_MARK = 0x1a2b3c4d };
enum { OPTION_END = 0, OPTION_IF_NAME = 2, OPTION_PACKET_FLAGS = 2, OPTION_SECTION_USER = 4, OPTION_IF_RESOLUTION = 9 };
enum { TYPE_ETHERNET = 1, TYPE_RAW_IP = 101 };

static void put(FILE *out, const void *data, size_t n)
{
	static const char zeros[4];

	fwrite(data, 1, n, out);
	fwrite(zeros, 1, -n & 3, out);
}

static void put_number(FILE *out, uint32_t n)
{
	fwrite(&n, sizeof n, 1, out);
}

static void put_option(FILE *out, uint16_t code, const void *data, size_t n)
{
	uint16_t head[2] = { code, (uint16_t)n };

	fwrite(head, sizeof head, 1, out);
	put(out, data, n);
}

static uint32_t padded(size_t n)
{
	return (uint32_t)((n + 3) & ~(size_t)3);
}

static void put_section(FILE *out)
{
	static const char user[] = "belljar";
	const uint16_t version[2] = { 1, 0 };
	const int64_t unknown = -1;
	uint32_t size = 28 + 4 + padded(sizeof user - 1) + 4;

	put_number(out, BLOCK_SECTION);
	put_number(out, size);
	put_number(out, BYTE_ORDER_MARK);
	put(out, version, sizeof version);
	put(out, &unknown, sizeof unknown);
	put_option(out, OPTION_SECTION_USER, user, sizeof user - 1);
	put_option(out, OPTION_END, "", 0);
	put_number(out, size);
}

static void put_interface(FILE *out, uint16_t type, const char *name)
{
	const uint16_t types[2] = { type, 0 };
	const unsigned char nanoseconds = 9;
	uint32_t size = 20 + 4 + padded(strlen(name)) + 4 + 4 + 4;

	put_number(out, BLOCK_INTERFACE);
	put_number(out, size);
	put(out, types, sizeof types);
	put_number(out, LONGEST);
	put_option(out, OPTION_IF_NAME, name, strlen(name));
	put_option(out, OPTION_IF_RESOLUTION, &nanoseconds, 1);
	put_option(out, OPTION_END, "", 0);
	put_number(out, size);
}

static void put_packet(FILE *out, const void *data, size_t n, size_t whole, uint64_t ns, bool outgoing)
{
	const uint32_t direction = outgoing ? 2 : 1;
	uint32_t size = 32 + padded(n) + 8 + 4;

	put_number(out, BLOCK_PACKET);
	put_number(out, size);
	put_number(out, 0);
	put_number(out, (uint32_t)(ns >> 32));
	put_number(out, (uint32_t)ns);
	put_number(out, (uint32_t)n);
	put_number(out, (uint32_t)whole);
	put(out, data, n);
	put_option(out, OPTION_PACKET_FLAGS, &direction, sizeof direction);
	put_option(out, OPTION_END, "", 0);
	put_number(out, size);
}

/* ---- packets ---- */

struct packet {
	unsigned char data[LONGEST + 4];
	size_t n, whole;
	uint64_t ns;
	bool outgoing;
};

/* The kernel takes VLAN tags out of what it hands over; the file gets them back in their place. */
static void put_tag_back(struct packet *p, const struct tpacket_auxdata *aux)
{
	uint16_t tag[2] = { htons(aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_P_8021Q), htons(aux->tp_vlan_tci) };

	if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || p->n < 2 * ETH_ALEN)
		return;
	memmove(p->data + 2 * ETH_ALEN + sizeof tag, p->data + 2 * ETH_ALEN, p->n - 2 * ETH_ALEN);
	memcpy(p->data + 2 * ETH_ALEN, tag, sizeof tag);
	p->n += sizeof tag;
	p->whole += sizeof tag;
}

/* 1 got one, 0 there is none, or -1 with errno. */
static int take(int sock, struct packet *p)
{
	union { char room[256]; struct cmsghdr align; } control;
	struct sockaddr_ll from = { 0 };
	struct iovec part = { p->data, LONGEST };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };
	ssize_t n = recvmsg(sock, &m, MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	p->whole = (size_t)n;
	p->n = p->whole < LONGEST ? p->whole : LONGEST;
	p->outgoing = from.sll_pkttype == PACKET_OUTGOING;
	p->ns = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct timespec t;
		struct tpacket_auxdata aux;
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof t);
			p->ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		} else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			memcpy(&aux, CMSG_DATA(c), sizeof aux);
			put_tag_back(p, &aux);
		}
	}
	return 1;
}

/* ---- the step ---- */

static uint16_t type_of(int sock, const char *link)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", link);
	if (ioctl(sock, SIOCGIFHWADDR, &r) < 0)
		return TYPE_ETHERNET;
	/* Loopback has Ethernet headers as well; tunnels without them carry bare IP. */
	return r.ifr_hwaddr.sa_family == ARPHRD_ETHER || r.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK ? TYPE_ETHERNET : TYPE_RAW_IP;
}

static int unwritten(const struct step *s, int number, struct err *err)
{
	return err_set(err, number, "%.500s: can't be written", s->from);
}

/* Write packets until enough came, the time is up, or belljar is asked to stop. 0 or -1 with err. */
static int copy(struct step *s, int sock, FILE *out, struct err *err)
{
	_cleanup_free_ struct packet *packet = xmalloc(sizeof *packet);
	uint64_t end = s->flags ? (uint64_t)now_ns() + s->flags : UINT64_MAX;

	s->old_num = 0;
	while (!stop_asked() && !stop_interrupted()) {
		uint64_t at = (uint64_t)now_ns();
		if (at >= end)
			return 0;
		uint64_t left = (end - at) / 1000000 + 1;
		struct pollfd p = { .fd = sock, .events = POLLIN };
		if (fflush(out) != 0)
			return unwritten(s, errno, err);
		if (poll(&p, 1, end == UINT64_MAX || left > INT32_MAX ? -1 : (int)left) < 0 && errno != EINTR)
			return err_set(err, errno, "can't wait for packets");
		for (int got; (got = take(sock, packet)) != 0;) {
			if (got < 0)
				return err_set(err, errno, "%s: %s", s->place->name, errno == ENETDOWN ? "the link went down" : "can't read packets");
			put_packet(out, packet->data, packet->n, packet->whole, packet->ns, packet->outgoing);
			if (++s->old_num == s->num || (uint64_t)now_ns() >= end)
				return 0;
		}
	}
	return 0;
}

int capture_run(struct step *s, int fd, struct err *err)
{
	_cleanup_close_ int sock = capture_socket(s->place, s->to, err);
	_cleanup_close_ int file = sock < 0 ? -1 : open(s->from, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct tpacket_stats lost = { 0 };
	socklen_t size = sizeof lost;

	(void)fd;
	if (sock < 0)
		return -1;
	FILE *out = file < 0 ? NULL : fdopen(file, "w");
	if (!out)
		return unwritten(s, errno, err);
	move_fd(&file);
	put_section(out);
	put_interface(out, type_of(sock, s->to), s->to);
	int result = copy(s, sock, out, err);
	bool bad = fclose(out) != 0;
	if (result == 0 && bad)
		result = unwritten(s, errno, err);
	getsockopt(sock, SOL_PACKET, PACKET_STATISTICS, &lost, &size);
	s->flags = lost.tp_drops;
	return result;
}
