/*
 * network_vxlan.c - bridges of several machines made one
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "sandbox/network_look.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_vxlan.h"

enum { MOST_ID = (1 << 24) - 1 };

static bool is_multicast(const char *address)
{
	unsigned char b[16];

	return inet_pton(AF_INET, address, b) == 1 ? b[0] >= 224 && b[0] < 240 : inet_pton(AF_INET6, address, b) == 1 && b[0] == 0xff;
}

static int check_wish(const struct vxlan_wish *w, struct err *err)
{
	if (w->id < 1 || w->id > MOST_ID)
		return err_usage(err, "id %lld: not a number from 1 to %d", (long long)w->id, MOST_ID);
	if (is_multicast(w->far) == w->group)
		return 0;
	err_usage(err, "%s is %s multicast address", w->far, w->group ? "no" : "a");
	return err_try(err, "%s %s", w->group ? "remote" : "group", w->far);
}

int network_vxlan(struct session *s, struct sandbox *sb, const struct vxlan_wish *w, struct err *err)
{
	struct plan p = { .session = s };
	struct target dev = { 0 };
	struct place *place;
	int index = 0;

	if (net_name_check(w->name, err) < 0 || check_wish(w, err) < 0 || network_target_used(s, sb, w->dev, &dev, err) < 0 ||
	    network_find_bridge(s, w->bridge, &place, err) < 0)
		return -1;
	int found = network_find(s, place, w->name, NULL, err);
	if (found)
		return found < 0 ? -1 : network_taken(s, place, w->name, err);
	if (place == &s->host && network_note_on_host(s, w->name, &index, err) < 0)
		return -1;
	_cleanup_free_ char *over = xasprintf("%s:%s", dev.label, dev.name);
	struct step *step = plan_add(&p, STEP_VXLAN, place, w->name);
	step->from = w->bridge;
	step->num = w->id;
	step->text = w->far;
	step->flags = (uint64_t)w->port;
	step->what = over;
	step->fd[0] = dev.place->own[NS_NET] ? dev.place->ns[NS_NET] : -1;
	step->fd[1] = index;
	plan_add(&p, STEP_UP, place, w->name);
	if (plan_run(&p, err) == 0)
		return 0;
	if (index)
		network_forget_on_host(s, w->name, index);
	return -1;
}
