/*
 * netlink.h - one request to rtnetlink and its answer, without a library, for what the keeper is linked with too
 */
#ifndef KERN_NETLINK_H
#define KERN_NETLINK_H

#include <stdbool.h>
#include <stddef.h>

struct nlmsghdr;

/* Send the request, which gets NLM_F_REQUEST and NLM_F_ACK, and read its answer. 0 or an errno. */
int netlink_ask(int sock, struct nlmsghdr *request);

/* Add an attribute behind a message that has ROOM bytes in all; false when it has no room for it. */
bool netlink_put(struct nlmsghdr *request, size_t room, int type, const void *data, size_t n);

#endif
