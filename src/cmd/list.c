/*
 * list.c - all families of commands; main registers them once
 */
#include "config.h"

#include "cmd/list.h"
#include "cmd/shell.h"

const struct command *const cmd_families[] = {
	cmd_sandboxes,
	cmd_sessions,
	cmd_namespaces,
	cmd_files,
	cmd_mounts,
	cmd_layers,
	cmd_network,
	cmd_overlay,
	cmd_shape,
	cmd_look,
	cmd_network_modes,
	cmd_network_device,
	cmd_network_nat,
	cmd_limits,
	cmd_groups,
	cmd_devices,
	cmd_top,
	cmd_privileges,
	cmd_seccomp,
	cmd_harden,
	cmd_can,
	cmd_processes,
	cmd_scripts,
	cmd_expect,
	cmd_teaching,
	cmd_doctor,
	NULL,
};
