/*
 * files.h - what files.c and mounts.c share: values of commands about files
 */
#ifndef CMD_FILES_H
#define CMD_FILES_H

#include "lang/command.h"
#include "sandbox/session.h"

/* The layers among A's values: words, and paths, which get a slash. */
void files_take_layers(const struct args *a, struct root_wish *w);
void files_free_layers(struct root_wish *w);

/* ro, noexec, nosuid and nodev among A's values, as MOUNT_ATTR_*. */
uint64_t files_attributes(const struct args *a);

#endif
