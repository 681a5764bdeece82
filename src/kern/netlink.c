/*
 * netlink.c - one request to rtnetlink and its answer
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kern/netlink.h"

int netlink_ask(int sock, struct nlmsghdr *request)
{
	union {
		struct nlmsghdr head;
		char room[4096];
	} reply;
	ssize_t n;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(sock, request, request->nlmsg_len, 0) < 0)
		return errno;
	while ((n = recv(sock, &reply, sizeof reply, 0)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return errno;
	if ((size_t)n < sizeof(struct nlmsghdr) + sizeof(int) || reply.head.nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -((struct nlmsgerr *)NLMSG_DATA(&reply.head))->error;
}

bool netlink_put(struct nlmsghdr *request, size_t room, int type, const void *data, size_t n)
{
	size_t at = NLMSG_ALIGN(request->nlmsg_len);
	struct rtattr *a = (struct rtattr *)(void *)((char *)request + at);

	if (n > 1024 || at + RTA_SPACE(n) > room)
		return false;
	memset(a, 0, RTA_SPACE(n));
	*a = (struct rtattr){ .rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = (unsigned short)type };
	memcpy(RTA_DATA(a), data, n);
	request->nlmsg_len = (unsigned)(at + RTA_SPACE(n));
	return true;
}
