/*
 * systemd.c - the module systemd.so: a scope from systemd
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "kern/rootless.h"
#include "kern/systemd.h"

enum { PATIENCE_US = 10000000 };

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

struct job {
	char *path;            /* NULL before it is known */
	char *result;          /* "done"; NULL while it runs */
};

static int job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct job *job = arg;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (job->path && streq(path, job->path) && !job->result)
		job->result = xstrdup(result);
	return 0;
}

static void job_free(struct job *job)
{
	free(job->path);
	free(job->result);
}

static int open_address(sd_bus **bus, const char *address, int client)
{
	int r = sd_bus_new(bus);

	if (r < 0 || (r = sd_bus_set_address(*bus, address)) < 0 || (r = sd_bus_set_bus_client(*bus, client)) < 0 || (r = sd_bus_start(*bus)) < 0)
		*bus = sd_bus_unref(*bus);
	return r;
}

/* On the bus, or where there is none, as on many servers for users, on the socket that the manager has for systemctl. A session without a
 * login of its own (su, cron) does not name the user's run directory. */
static int open_bus(sd_bus **bus)
{
	bool root = rootless_uid() == 0;
	_cleanup_free_ char *run = root ? xstrdup("/run") : xasprintf("/run/user/%u", (unsigned)rootless_uid());
	_cleanup_free_ char *shared = xasprintf("unix:path=%s/bus", run), *own = xasprintf("unix:path=%s/systemd/private", run);
	int r = root ? sd_bus_open_system(bus) : getenv("DBUS_SESSION_BUS_ADDRESS") ? sd_bus_open_user(bus) : open_address(bus, shared, 1);

	return r >= 0 ? r : open_address(bus, own, 0);
}

static int put_pids(sd_bus_message *m, const pid_t *pids, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', "u");

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "u", (uint32_t)pids[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int put_request(sd_bus_message *m, const char *name, const pid_t *pids, size_t n)
{
	int r = sd_bus_message_append(m, "ss", name, "fail");

	if (r < 0 || (r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "Description", "s", "belljar's sandboxes")) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "Delegate", "b", 1)) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'r', "sv")) < 0 || (r = sd_bus_message_append(m, "s", "PIDs")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'v', "au")) < 0 || (r = put_pids(m, pids, n)) < 0)
		return r;
	for (int depth = 0; depth < 3; depth++)
		if ((r = sd_bus_message_close_container(m)) < 0)
			return r;
	return sd_bus_message_append(m, "a(sa(sv))", 0);
}

static int wait_for(sd_bus *bus, const struct job *job)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t end = t.tv_sec * 1000000LL + t.tv_nsec / 1000 + PATIENCE_US;
	while (!job->result) {
		int r = sd_bus_process(bus, NULL);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &t);
		int64_t left = end - (t.tv_sec * 1000000LL + t.tv_nsec / 1000);
		if (left <= 0)
			return -ETIMEDOUT;
		if ((r = sd_bus_wait(bus, (uint64_t)left)) < 0)
			return r;
	}
	return streq(job->result, "done") ? 0 : -ECANCELED;
}

static int attach(sd_bus *bus, const char *name, const char *inside, const pid_t *pids, size_t n, sd_bus_error *error)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "AttachProcessesToUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", name, inside);
	if (r >= 0)
		r = put_pids(m, pids, n);
	if (r >= 0)
		r = sd_bus_call(bus, m, PATIENCE_US, error, NULL);
	sd_bus_message_unref(m);
	return r;
}

static int start(sd_bus *bus, const char *name, const pid_t *pids, size_t n, struct job *job, sd_bus_error *error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *path;
	/* Signals that come while the answer is awaited are kept for sd_bus_process. */
	int r = sd_bus_match_signal(bus, NULL, SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "JobRemoved", job_removed, job);

	/* Without a subscriber the manager tells nobody. */
	if (r >= 0)
		r = sd_bus_call_method(bus, SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "Subscribe", error, NULL, NULL);
	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "StartTransientUnit");
	if (r >= 0)
		r = put_request(m, name, pids, n);
	if (r >= 0)
		r = sd_bus_call(bus, m, PATIENCE_US, error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0) {
		job->path = xstrdup(path);
		r = wait_for(bus, job);
	}
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

static int reach(sd_bus **bus, struct err *err)
{
	int r = open_bus(bus);

	if (r >= 0)
		return 0;
	err_set(err, -r, "systemd: its bus can't be reached");
	if (rootless_uid() == 0)
		return -1;
	err_why(err, "a user's manager is asked at /run/user/%u/bus", (unsigned)rootless_uid());
	return err_try(err, "log in anew, or: loginctl enable-linger");
}

__attribute__((visibility("default"))) int systemd_scope(const char *name, const char *inside, const pid_t *pids, size_t n, struct err *err)
{
	_cleanup_(job_free) struct job job = { 0 };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *bus = NULL;

	if (reach(&bus, err) < 0)
		return -1;
	int r = start(bus, name, pids, n, &job, &error);
	if (sd_bus_error_has_name(&error, SYSTEMD ".UnitExists")) {
		sd_bus_error_free(&error);
		r = attach(bus, name, inside, pids, n, &error);
	}
	if (r < 0) {
		err_set(err, -r, "systemd: %s can't be had", name);
		if (error.message)
			err_why(err, "%s", error.message);
	}
	sd_bus_error_free(&error);
	sd_bus_flush_close_unref(bus);
	return r < 0 ? -1 : 0;
}
