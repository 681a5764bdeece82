/*
 * devices.c - which devices a sandbox's programs may use
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "kern/cg_device.h"
#include "kern/gate.h"
#include "sandbox/devices.h"
#include "sandbox/group.h"
#include "sandbox/steps.h"

/* null zero full random urandom, tty console ptmx, and the terminals of devpts. */
static const char *const usual[] = { "c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2", "c 136:*" };

/* Linux numbers devices with 12 and 20 bits. */
static bool number_ok(const char *text, size_t n, unsigned long most)
{
	if (n == 1 && *text == '*')
		return true;
	return n > 0 && n < 8 && strspn(text, "0123456789") >= n && strtoul(text, NULL, 10) <= most;
}

/* "c:1:3" as "c 1:3"; NULL when it is none. */
static char *numbered(const char *which)
{
	const char *major = which + 2, *colon = (which[0] == 'b' || which[0] == 'c') && which[1] == ':' ? strchr(major, ':') : NULL;

	if (!colon || !number_ok(major, (size_t)(colon - major), 4095) || !number_ok(colon + 1, strlen(colon + 1), 1048575))
		return NULL;
	return xasprintf("%c %s", which[0], major);
}

static char *of_node(const char *path, struct err *err)
{
	struct stat st;

	bool found = stat(path, &st) == 0;
	if (!found || (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))) {
		err_set(err, found ? ENODEV : errno, found ? "%s is no device" : "%s: no device can be found there", path);
		err_try(err, "/dev/null, c:1:3 or b:7:*; the number of a device is in ls -l");
		return NULL;
	}
	return xasprintf("%c %u:%u", S_ISCHR(st.st_mode) ? 'c' : 'b', major(st.st_rdev), minor(st.st_rdev));
}

static void add(struct buf *rules, bool allow, const char *device, const char *access)
{
	buf_fmt(rules, "%s%s %s %s", rules->len ? "; " : "", allow ? "allow" : "deny", device, access ? access : "rwm");
}

int devices_rule(struct buf *rules, bool allow, const char *which, const char *access, struct err *err)
{
	if (streq(which, "usual")) {
		for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
			add(rules, allow, usual[i], access);
		return 0;
	}
	_cleanup_free_ char *device = streq(which, "all") ? xstrdup("a *:*") : numbered(which);
	if (!device && (starts_with(which, "b:") || starts_with(which, "c:"))) {
		err_usage(err, "%.100s is no device: the numbers are 0 to 4095 and 0 to 1048575", which);
		return err_try(err, "c:1:3, or * for any number");
	}
	if (!device && !(device = of_node(which, err)))
		return -1;
	add(rules, allow, device, access);
	return 0;
}

/* Rules before the last one about everything say nothing any more. */
static const char *without_past(const char *rules)
{
	static const char *const wholes[] = { "allow a *:* rwm", "deny a *:* rwm" };
	const char *last = rules;

	for (size_t i = 0; i < ARRAY_SIZE(wholes); i++)
		for (const char *at = strstr(rules, wholes[i]); at; at = strstr(at + 1, wholes[i]))
			last = at > last ? at : last;
	return last;
}

int devices_set(struct sandbox *sb, const char *rules, struct err *err)
{
	_cleanup_steps_ struct steps ground = { 0 };
	struct device_rule parsed[DEVICE_RULES];
	_cleanup_free_ char *old = xstrdup(sb->place.devices);
	_cleanup_free_ char *all = !rules ? NULL : old ? xasprintf("%s; %s", old, rules) : xstrdup(rules);

	if (!sandbox_group(sb, err))
		return -1;
	if (all && device_rules(without_past(all), parsed) == DEVICE_RULES)
		return err_set(err, E2BIG, "%s: more than %d rules for devices", sb->name, DEVICE_RULES - 1);
	group_add_controllers(&ground, sb, sb->group, 1u << CTL_DEVICES);
	if (group_run(sb->session, ground.list, ground.n, err) < 0)
		return -1;
	_cleanup_free_ char *dir = cg_dir(sb->group, cg_v1(CTL_DEVICES) ? CTL_DEVICES : CTL_TRACK);
	struct step step = { .kind = STEP_DEVICE_RULES, .place = &sb->place, .text = sb->group, .from = all ? without_past(all) : NULL,
			     .what = old, .to = dir };
	return gate_run(&sb->session->gate, &step, 1, err);
}
