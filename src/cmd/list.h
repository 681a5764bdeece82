/*
 * list.h - the families of commands that list.c puts together
 *
 * One family is one file of src/cmd: an array of rows that ends with a row without a name.
 */
#ifndef CMD_LIST_H
#define CMD_LIST_H

#include "lang/command.h"

extern const struct command cmd_sandboxes[];  /* sandboxes.c: new use ls show rename rm */
extern const struct command cmd_sessions[];   /* sessions.c: keep sessions end */
extern const struct command cmd_namespaces[]; /* namespaces.c: unshare join share map hostname clock */
extern const struct command cmd_files[];      /* files.c: root mount bind tmpfs umount */
extern const struct command cmd_mounts[];     /* mounts.c: overlay volume remount propagate mounts */
extern const struct command cmd_layers[];     /* layers.c: layers changes commit reset cache */
extern const struct command cmd_network[];    /* network.c: bridge link unlink addr route up down links */
extern const struct command cmd_overlay[];    /* overlay.c: vxlan */
extern const struct command cmd_shape[];      /* shape.c: shape */
extern const struct command cmd_look[];       /* look.c: addrs routes neighbours graph capture path */
extern const struct command cmd_network_modes[]; /* network_modes.c: network names */
extern const struct command cmd_privileges[]; /* privileges.c: cap user nonewprivs securebits umask rlimit allow-path label dumpable */
extern const struct command cmd_network_device[]; /* network_device.c: interface alter vlan */
extern const struct command cmd_network_nat[]; /* network_nat.c: nat publish firewall forward */
extern const struct command cmd_seccomp[];    /* seccomp.c */
extern const struct command cmd_harden[];     /* harden.c: mask readonly harden */
extern const struct command cmd_can[];        /* can.c */
extern const struct command cmd_processes[];  /* processes.c: sh run ps kill wait env */
extern const struct command cmd_scripts[];    /* scripts.c: help source set unset echo sleep history quit */
extern const struct command cmd_expect[];     /* expect.c */
extern const struct command cmd_teaching[];   /* teaching.c: explain undo why */
extern const struct command cmd_limits[];     /* limits.c: limit usage freeze thaw */
extern const struct command cmd_devices[];    /* devices.c: device */
extern const struct command cmd_groups[];     /* groups.c: group move */
extern const struct command cmd_top[];        /* top.c: top watch */
extern const struct command cmd_doctor[];     /* doctor.c */

/* Types of values that one family has of its own. */
extern const struct type limits_file, limits_rate, groups_name, devices_access;
extern const struct type files_inside, files_options, files_mode;
extern const struct type network_name, network_there, network_end, network_of;
extern const struct type filter_call, filter_denied, filter_profile;
extern const struct type can_asked;
extern const struct type privilege_capability, privilege_user, privilege_umask, privilege_rlimit, privilege_bounds, privilege_securebit,
	privilege_reach;

#endif
