/*
 * module.h - parts of belljar that are loaded when they are first needed
 *
 * The prompt (readline) and the network (libnl) are shared objects of belljar's own, because loading their libraries would take a
 * script that needs neither a third of its start-up time.
 */
#ifndef BASE_MODULE_H
#define BASE_MODULE_H

struct err;

/* The symbol of the module ("prompt" is the file prompt.so), loading it unless it is. The installed belljar looks only in PKGLIBDIR, one
 * that was not installed in its own directory. NULL with err. */
void *module_symbol(const char *module, const char *symbol, struct err *err);

/* What tells this module from another build of it: size and time of its file. The caller's to free; NULL with err. */
char *module_stamp(const char *module, struct err *err);

#endif
