/*
 * network_names.c - names of the sandboxes of a bridge
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "sandbox/network_look.h"
#include "sandbox/network_names.h"
#include "sandbox/network_plan.h"
#include "sandbox/network_pool.h"
#include "sandbox/root.h"
#include "sandbox/store.h"

enum { TEXT_LIMIT = 16 << 20, BRIDGES = 12, ADDRESSES = 16 };

static const char first_lines[] = "127.0.0.1 localhost\n::1 localhost\n";
static const char hosts[] = "/etc/hosts", resolv[] = "/etc/resolv.conf";

/* The bridges a file is for. */
struct set {
	size_t n;
	char names[BRIDGES][IFNAMSIZ];
};

static int run_one(struct session *s, enum step_kind kind, const char *to, const char *text, const char *what, struct err *err)
{
	struct step step = { .kind = kind, .place = &s->host, .to = to, .text = text, .what = what, .fd = { -1, -1 } };

	return gate_run(&s->gate, &step, 1, err);
}

/* ---- files ---- */

/* In a dry run there is no directory yet. */
static char *path_of(const struct session *s, const char *file)
{
	_cleanup_free_ char *run = store_run_path();

	return s->store ? xasprintf("%s/%s", s->store->dir, file) : xasprintf("%s/SESSION/%s", run, file);
}

static void write_set(const struct set *set, struct buf *file)
{
	buf_str(file, "hosts.");
	for (size_t i = 0; i < set->n; i++)
		buf_fmt(file, "%s%s", i ? ":" : "", set->names[i]);
}

/* Sorted, so that a set has one name. False when there is no room. */
static bool add_to_set(struct set *set, const char *name)
{
	size_t at = 0;

	while (at < set->n && strcmp(set->names[at], name) < 0)
		at++;
	if (at < set->n && streq(set->names[at], name))
		return true;
	if (set->n == BRIDGES)
		return false;
	memmove(set->names[at + 1], set->names[at], (set->n - at) * sizeof *set->names);
	network_set_name(set->names[at], name);
	set->n++;
	return true;
}

/* A set from the name of a file; n is 0 when the name is none of ours. */
static struct set read_set(const char *file)
{
	struct set set = { .n = 0 };

	if (!starts_with(file, "hosts."))
		return set;
	for (const char *at = file + strlen("hosts."); *at;) {
		size_t n = strcspn(at, ":");
		char name[IFNAMSIZ] = "";
		if (n >= sizeof name || n == 0)
			return (struct set){ .n = 0 };
		memcpy(name, at, n);
		if (!add_to_set(&set, name))
			return (struct set){ .n = 0 };
		at += n + (at[n] == ':');
	}
	return set;
}

static bool in_set(const struct set *set, const char *bridge)
{
	for (size_t i = 0; i < set->n; i++)
		if (streq(set->names[i], bridge))
			return true;
	return false;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, line, n) == 0 && at[n] == '\n')
			return true;
	return false;
}

/* Lines of TEXT that ALL lacks. */
static void add_lines(struct buf *all, const char *text)
{
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		_cleanup_free_ char *line = xstrndup(at, strcspn(at, "\n"));
		if (!has_line(buf_text(all), line))
			buf_fmt(all, "%s\n", line);
	}
}

/* Make the file of a set where there is none, of what the files of its bridges hold. */
static int need_file(struct session *s, const struct set *set, struct err *err)
{
	_cleanup_buf_ struct buf file = { 0 }, text = { 0 };

	write_set(set, &file);
	_cleanup_free_ char *path = path_of(s, buf_text(&file));
	if (access(path, F_OK) == 0)
		return 0;
	buf_str(&text, first_lines);
	for (size_t i = 0; i < set->n && set->n > 1; i++) {
		_cleanup_free_ char *name = xasprintf("hosts.%s", set->names[i]), *one = path_of(s, name);
		_cleanup_buf_ struct buf its = { 0 };
		if (io_slurp(AT_FDCWD, one, TEXT_LIMIT, &its) == 0)
			add_lines(&text, buf_text(&its));
	}
	return run_one(s, STEP_FILE, path, buf_text(&text), set->n > 1 ? "the names on its bridges" : "localhost", err);
}

static int add_line(struct session *s, const char *file, const char *line, struct err *err)
{
	_cleanup_free_ char *path = path_of(s, file);
	_cleanup_buf_ struct buf text = { 0 };

	if (io_slurp(AT_FDCWD, path, TEXT_LIMIT, &text) == 0 && has_line(buf_text(&text), line))
		return 0;
	return run_one(s, STEP_LINE, path, line, NULL, err);
}

/* The line goes into every file that is for the bridge. */
static int add_line_everywhere(struct session *s, const char *bridge, const char *line, struct err *err)
{
	DIR *d = s->store ? opendir(s->store->dir) : NULL;
	struct dirent *e;
	int result = 0;

	if (!d) {
		_cleanup_free_ char *file = xasprintf("hosts.%s", bridge);
		return add_line(s, file, line, err);
	}
	while (result == 0 && (e = readdir(d))) {
		struct set set = read_set(e->d_name);
		if (in_set(&set, bridge))
			result = add_line(s, e->d_name, line, err);
	}
	closedir(d);
	return result;
}

/* ---- what is shown inside ---- */

/* The file of ours that is mounted at TO inside, the topmost: its name, or NULL. */
static char *shown_at(struct sandbox *sb, const char *to, struct err *err)
{
	struct mnt_info *mounts;
	size_t n;
	char *name = NULL;

	if (sandbox_mounts(sb, &mounts, &n, err) < 0)
		return NULL;
	for (size_t i = 0; i < n && sb->session->store; i++) {
		const char *slash = strrchr(mounts[i].root, '/');
		_cleanup_free_ char *path = slash ? path_of(sb->session, slash + 1) : NULL;
		if (!streq(mounts[i].target, to))
			continue;
		free(name);
		name = path && access(path, F_OK) == 0 ? xstrdup(slash + 1) : NULL;
	}
	mnt_free(mounts, n);
	return name;
}

/* Is there something to mount on, or can it be made? */
static bool can_show(const struct sandbox *sb, const char *to)
{
	return sb->root || access(to, F_OK) == 0;
}

static int show(struct sandbox *sb, const char *file, const char *to, struct err *err)
{
	_cleanup_free_ char *path = path_of(sb->session, file);
	struct step steps[2] = {
		{ .kind = STEP_MKDIR, .place = &sb->place, .to = to, .num = S_IFREG | 0644, .fd = { -1, -1 } },
		{ .kind = STEP_BIND, .place = &sb->place, .from = path, .to = to, .flags = MOUNT_ATTR_RDONLY, .fd = { -1, -1 } },
	};
	size_t first = sb->root ? 0 : 1;

	return gate_run(&sb->session->gate, steps + first, 2 - first, err);
}

/* The host's name servers but those that only the host can reach. */
static void resolver_text(struct buf *text)
{
	_cleanup_buf_ struct buf own = { 0 };
	bool servers = false;

	if (io_slurp(AT_FDCWD, resolv, TEXT_LIMIT, &own) < 0)
		buf_clear(&own);
	for (const char *at = buf_text(&own); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		_cleanup_free_ char *line = xstrndup(at, strcspn(at, "\n"));
		char server[64] = "";
		bool is_server = sscanf(line, " nameserver %63s", server) == 1;
		if (is_server && (starts_with(server, "127.") || streq(server, "::1")))
			continue;
		servers = servers || is_server;
		buf_fmt(text, "%s\n", line);
	}
	if (!servers)
		buf_str(text, "# The host has no name server that could be reached from here.\n");
}

static int show_resolver(struct sandbox *sb, struct err *err)
{
	static const char file[] = "resolv.conf";
	_cleanup_free_ char *shown = shown_at(sb, resolv, err), *path = path_of(sb->session, file);
	_cleanup_buf_ struct buf text = { 0 };

	if (shown || !can_show(sb, resolv))
		return 0;
	resolver_text(&text);
	if (access(path, F_OK) < 0 && run_one(sb->session, STEP_FILE, path, buf_text(&text), "the host's name servers", err) < 0)
		return -1;
	return show(sb, file, resolv, err);
}

/* ---- joining ---- */

static int no_address(const struct sandbox *sb, const char *bridge, struct err *err)
{
	err_set(err, EADDRNOTAVAIL, "%s: it has no address in a subnet of %s", sb->name, bridge);
	return err_try(err, "link %s %s, which gives it one", sb->name, bridge);
}

static void keep_inside(struct pool_addresses *found, const struct pool_addresses *own, const char *cidr)
{
	for (size_t i = 0; i < own->n; i++)
		if (pool_is_inside(cidr, own->cidr[i]) && found->n < POOL_ADDRESSES) {
			snprintf(found->cidr[found->n], CIDR_ROOM, "%.*s", (int)strcspn(cidr, "/"), cidr);
			found->n++;
			return;
		}
}

/* The sandbox's addresses (without prefix) in the bridge's subnets. */
static int find_addresses(struct sandbox *sb, const char *bridge, struct pool_addresses *found, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_free_ struct net_addr *addrs = NULL;
	const struct net_api *net = net_api(err);
	struct place *place;
	struct pool_addresses own;
	const struct step *done;
	size_t n = 0;

	found->n = 0;
	if (!net || network_find_bridge(s, bridge, &place, err) < 0 || pool_of(s, place, bridge, &own, err) < 0)
		return -1;
	if (network_known(s, &sb->place) && net->addrs(&sb->place, NULL, &addrs, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		keep_inside(found, &own, addrs[i].cidr);
	for (size_t i = 0; s->gate.dry && (done = gate_done(&s->gate, i)); i++)
		if (done->kind == STEP_ADDR && done->place == &sb->place)
			keep_inside(found, &own, done->text);
	return found->n ? 0 : no_address(sb, bridge, err);
}

static int show_names(struct sandbox *sb, const char *bridge, struct err *err)
{
	struct err none = { 0 };
	_cleanup_free_ char *shown = shown_at(sb, hosts, &none);
	struct set set = shown ? read_set(shown) : (struct set){ .n = 0 };
	_cleanup_buf_ struct buf file = { 0 };

	if (!can_show(sb, hosts))
		return 0;
	if (!add_to_set(&set, bridge)) {
		err_set(err, E2BIG, "%s: it sees the names of %d bridges already", sb->name, BRIDGES);
		return err_try(err, "link, which gives a link without names");
	}
	write_set(&set, &file);
	if (need_file(sb->session, &set, err) < 0)
		return -1;
	return shown && streq(shown, buf_text(&file)) ? 0 : show(sb, buf_text(&file), hosts, err);
}

int names_join(struct sandbox *sb, const char *bridge, struct err *err)
{
	struct session *s = sb->session;
	struct pool_addresses found;
	struct set only = { .n = 0 };

	if (network_need(sb, err) < 0 || find_addresses(sb, bridge, &found, err) < 0 || store_need(s, err) < 0)
		return -1;
	add_to_set(&only, bridge);
	if (need_file(s, &only, err) < 0)
		return -1;
	/* First seen, then told: the new file of several bridges gets the line as all others do. */
	if (sb->place.own[NS_MNT] && (show_names(sb, bridge, err) < 0 || show_resolver(sb, err) < 0))
		return -1;
	for (size_t i = 0; i < found.n; i++) {
		_cleanup_free_ char *line = xasprintf("%s %s", found.cidr[i], sb->name);
		if (add_line_everywhere(s, bridge, line, err) < 0)
			return -1;
	}
	return 0;
}

/* Is the sandbox known on the bridge? */
static bool is_known(const struct session *s, const char *name, const char *bridge)
{
	_cleanup_free_ char *file = xasprintf("hosts.%s", bridge), *path = path_of(s, file), *end = xasprintf(" %s\n", name);
	_cleanup_buf_ struct buf text = { 0 };

	return io_slurp(AT_FDCWD, path, TEXT_LIMIT, &text) == 0 && strstr(buf_text(&text), end);
}

int names_show_again(struct sandbox *sb, struct err *err)
{
	struct session *s = sb->session;
	DIR *d = s->store && !s->gate.dry ? opendir(s->store->dir) : NULL;
	struct set bridges = { .n = 0 };
	struct dirent *e;
	int result = 0;

	/* First listed, then shown: showing may make a file. */
	while (d && (e = readdir(d))) {
		struct set set = read_set(e->d_name);
		if (set.n == 1 && is_known(s, sb->name, set.names[0]))
			add_to_set(&bridges, set.names[0]);
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < bridges.n && result == 0; i++)
		result = show_names(sb, bridges.names[i], err);
	return result == 0 && bridges.n ? show_resolver(sb, err) : result;
}

/* ---- leaving ---- */

/* "10.0.0.2 web" with another name. */
static int change_line(struct session *s, const char *path, const char *line, const char *to, struct err *err)
{
	const char *blank = strrchr(line, ' ');

	if (run_one(s, STEP_UNLINE, path, line, NULL, err) < 0)
		return -1;
	_cleanup_free_ char *other = xasprintf("%.*s %s", (int)(blank - line), line, to ? to : "");
	return to ? run_one(s, STEP_LINE, path, other, NULL, err) : 0;
}

/* The lines of the file that say NAME get another (TO NULL: none), but those of the N addresses. */
static int change_lines(struct session *s, const char *file, const char *name, const struct net_addr *addrs, size_t n, const char *to,
			struct err *err)
{
	_cleanup_free_ char *path = path_of(s, file);
	_cleanup_buf_ struct buf text = { 0 };

	if (io_slurp(AT_FDCWD, path, TEXT_LIMIT, &text) < 0)
		return err_set(err, errno, "%s: can't be read", path);
	for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n"), at += *at == '\n') {
		_cleanup_free_ char *line = xstrndup(at, strcspn(at, "\n"));
		size_t address = strcspn(line, " ");
		bool stays = !line[address] || !streq(line + address + 1, name);
		for (size_t i = 0; i < n && !stays; i++)
			stays = strncmp(addrs[i].cidr, line, address) == 0 && addrs[i].cidr[address] == '/';
		if (!stays && change_line(s, path, line, to, err) < 0)
			return -1;
	}
	return 0;
}

int names_settle(struct sandbox *sb, struct err *err)
{
	struct session *s = sb->session;
	_cleanup_free_ struct net_addr *addrs = NULL;
	const struct net_api *net = net_api(err);
	DIR *d = s->store && !s->gate.dry ? opendir(s->store->dir) : NULL;
	struct dirent *e;
	size_t n = 0;
	int result = !d || !sb->place.own[NS_NET] ? 0 : !net ? -1 : net->addrs(&sb->place, NULL, &addrs, &n, err);

	while (result == 0 && d && (e = readdir(d)))
		if (read_set(e->d_name).n)
			result = change_lines(s, e->d_name, sb->name, addrs, n, NULL, err);
	if (d)
		closedir(d);
	return result;
}

int names_forget(struct session *s, const char *name, const char *to, struct err *err)
{
	DIR *d = s->store ? opendir(s->store->dir) : NULL;
	size_t mark = gate_mark(&s->gate);
	struct dirent *e;
	int result = 0;

	while (result == 0 && d && (e = readdir(d)))
		if (read_set(e->d_name).n)
			result = change_lines(s, e->d_name, name, NULL, 0, to, err);
	if (d)
		closedir(d);
	if (result < 0)
		gate_rollback(&s->gate, mark, NULL);
	else
		gate_forget(&s->gate, mark, gate_mark(&s->gate));
	return result;
}
