/*
 * net_conn.h - inside the network module: connections and what goes over them
 */
#ifndef KERN_NET_CONN_H
#define KERN_NET_CONN_H

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "kern/net.h"

/* The module shows one symbol, net_module; what its files show each other is nobody else's. */
#pragma GCC visibility push(hidden)

struct step;

/* A message of TYPE that begins with HEADER (ifinfomsg, ifaddrmsg, ...). Never NULL. */
struct nl_msg *net_message(int type, int flags, const void *header, size_t n);
void net_message_free(struct nl_msg **m);
#define _cleanup_message_ __attribute__((cleanup(net_message_free)))

/* Add an attribute; a message that has no room for it is refused by net_ask. */
void net_put(struct nl_msg *m, int type, const void *data, size_t n);
void net_put_text(struct nl_msg *m, int type, const char *text);
void net_put_number(struct nl_msg *m, int type, uint32_t n);
struct nlattr *net_nest(struct nl_msg *m, int type);
void net_nest_end(struct nl_msg *m, struct nlattr *nest);

/* Send M and read the answers, each of which is given to ROW (may be NULL). ROW gets NULL first, and again when a
 * listing that was interrupted by a change begins anew: what came before is void. 0 or an errno; the kernel's words
 * are then in net_said (NULL when there are none). Never waits: the kernel has answered when sending returns. EPROTO: the answer was
 * lost, so whether it was done is not known. */
int net_ask(struct net_conn *c, struct nl_msg *m, void (*row)(const struct nlmsghdr *head, void *arg), void *arg);
const char *net_said(const struct net_conn *c);

/* Index of a link by name, 0 when there is none. */
int net_index(struct net_conn *c, const char *name);
/* Name of a link by index. */
bool net_name(struct net_conn *c, int index, char name[IFNAMSIZ]);
/* Its flags (IFF_*), -1 when there is none. */
int net_flags(struct net_conn *c, const char *name);

/* Its socket, which still belongs to it. */
int net_socket(const struct net_conn *c);

struct net_conn *net_open(struct place *p, struct err *err);
void net_close(struct net_conn *c);
int net_netns(const struct place *p, struct err *err);    /* a new descriptor of its net namespace, or -1 */

int net_bridge(struct step *s, struct err *err);
int net_veth(struct step *s, struct err *err);
int net_unlink(struct step *s, struct err *err);
int net_set_up(struct step *s, bool up, struct err *err);
int net_addr(struct step *s, bool add, struct err *err);
int net_route(struct step *s, bool add, struct err *err);

int net_find(struct place *p, const char *name, struct net_link *link, struct err *err);
int net_nsid(struct place *p, struct place *other, int *nsid, struct err *err);
int net_links(struct place *p, struct net_link **links, size_t *n, struct err *err);
int net_addrs(struct place *p, const char *link, struct net_addr **addrs, size_t *n, struct err *err);
int net_routes(struct place *p, struct net_route **routes, size_t *n, struct err *err);

int net_neighbours(struct place *p, struct net_neighbour **neighbours, size_t *n, struct err *err);
int net_table(struct place *p, struct net_table_route **routes, size_t *n, struct err *err);

int net_way(struct place *p, const struct net_packet *packet, int in, struct net_way *way, struct err *err);
int net_forwards(struct place *p, int family, int in, bool *does, struct err *err);
int net_port(struct place *p, int index, struct net_port *port, struct err *err);
int net_learnt(struct place *p, int bridge, const char *mac, int *port, struct err *err);

/* How the namespace of the connection numbers that of the descriptor FD; it is given a number if it has none. 0 or an errno. */
int net_number_place(struct net_conn *c, int fd, int *nsid);
/* The index of a link in the namespace of that number, 0 when there is none. */
int net_index_there(int nsid, struct net_conn *c, const char *name);

int net_lend(struct step *s, struct err *err);
int net_return(struct step *s, struct err *err);
int net_save(struct place *p, const char *name, struct buf *file, struct err *err);

int net_device(struct step *s, struct err *err);
int net_alter(struct step *s, struct err *err);
int net_vxlan(struct step *s, struct err *err);
int net_reshape(struct step *s, struct err *err);
int net_shape(struct place *p, const char *link, struct net_queue *queue, struct err *err);

/* Attributes as the readers need them: 4 bytes as a number; 4 or 16 bytes as an address (false, and "", when it is none); 6 bytes as a MAC
 * (else ""). A may be NULL. */
int net_number(const struct nlattr *a, int otherwise);
bool net_address(char *text, size_t room, int family, const struct nlattr *a);
void net_mac(char mac[18], const struct nlattr *a);
/* The error of a listing that the kernel refused with NUMBER. -1. */
int net_unread(const struct place *p, const char *what, int number, const struct net_conn *c, struct err *err);

#pragma GCC visibility pop

#endif
