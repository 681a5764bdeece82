/*
 * capability.c - the kernel's capabilities by name
 */
#include "config.h"

#include <fcntl.h>
#include <stdbool.h>
#include <strings.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/capability.h"

/* In the order of <linux/capability.h>. */
const char *const capability_names[CAPABILITIES] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
	"net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
	"sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
	"audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
	"perfmon", "bpf", "checkpoint_restore",
};

static const char *const docker[] = { "chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap",
				      "setpcap", "net_bind_service", "sys_chroot", "kill", "audit_write" };

uint64_t capability_all(void)
{
	char line[16];
	long last = CAPABILITIES - 1;

	if (io_line(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", line, sizeof line) > 0)
		last = strtol(line, NULL, 10);
	return last < 0 || last >= 63 ? UINT64_MAX : (UINT64_C(1) << (last + 1)) - 1;
}

uint64_t capability_docker(void)
{
	uint64_t mask = 0, one;

	for (size_t i = 0; i < ARRAY_SIZE(docker); i++)
		if (capability_parse(docker[i], &one) == 0)
			mask |= one;
	return mask;
}

int capability_parse(const char *word, uint64_t *mask)
{
	const char *name = strncasecmp(word, "cap_", 4) == 0 ? word + 4 : word;
	char *end;

	if (streq(word, "all") || streq(word, "none") || streq(word, "docker")) {
		*mask = word[0] == 'a' ? capability_all() : word[0] == 'd' ? capability_docker() : 0;
		return 0;
	}
	for (int i = 0; i < CAPABILITIES; i++)
		if (strcasecmp(name, capability_names[i]) == 0) {
			*mask = UINT64_C(1) << i;
			return 0;
		}
	unsigned long n = *name >= '0' && *name <= '9' ? strtoul(name, &end, 10) : 64;
	if (n >= 64 || *end || !(capability_all() >> n & 1))
		return -1;
	*mask = UINT64_C(1) << n;
	return 0;
}

int capability_parse_list(const char *words, uint64_t *mask)
{
	_cleanup_free_ char *copy = xstrdup(words);
	char *rest = NULL;
	uint64_t one;

	*mask = 0;
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (capability_parse(word, &one) < 0)
			return -1;
		*mask |= one;
	}
	return 0;
}

static void names(uint64_t mask, struct buf *b)
{
	bool first = true;

	for (int i = 0; i < 64; i++) {
		if (!(mask >> i & 1))
			continue;
		buf_str(b, first ? "" : " ");
		i < CAPABILITIES ? buf_str(b, capability_names[i]) : buf_fmt(b, "%d", i);
		first = false;
	}
}

void capability_words(uint64_t mask, struct buf *b)
{
	if (mask == 0)
		buf_str(b, "none");
	else if (mask == capability_all())
		buf_str(b, "all");
	else
		names(mask, b);
}

void capability_short(uint64_t mask, struct buf *b)
{
	uint64_t missing = capability_all() & ~mask;

	if (mask == capability_docker()) {
		buf_str(b, "docker");
	} else if (mask && missing && __builtin_popcountll(missing) < __builtin_popcountll(mask)) {
		buf_str(b, "all but ");
		names(missing, b);
	} else {
		capability_words(mask, b);
	}
}
