/*
 * network_capture.c - what passes over a link, written into a file
 */
#include "config.h"

#include "base/err.h"
#include "sandbox/network_capture.h"
#include "sandbox/network_plan.h"

int network_capture(struct session *s, struct sandbox *sb, struct capture_wish *w, struct err *err)
{
	struct plan p = { .session = s };
	struct target t = { 0 };

	if (network_target(s, sb, w->link, &t, err) < 0)
		return -1;
	struct step *step = plan_add(&p, STEP_CAPTURE, t.place, t.name);
	step->from = w->file;
	step->num = w->count;
	step->flags = (uint64_t)w->ns;
	size_t mark = gate_mark(&s->gate);
	if (plan_run(&p, err) < 0)
		return -1;
	/* It has changed nothing that undo could take back. */
	gate_forget(&s->gate, mark, gate_mark(&s->gate));
	w->packets = step->old_num;
	w->lost = (int64_t)step->flags;
	return 0;
}
