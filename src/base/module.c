/*
 * module.c - parts of belljar that are loaded when they are first needed
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/module.h"

/* Where modules are. belljar often runs as root, so no variable of the environment and no current directory has a say in it. */
static char *directory(struct err *err)
{
	char exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n < 0) {
		err_set(err, errno, "can't find belljar's own file");
		return NULL;
	}
	exe[n] = '\0';
	char *slash = strrchr(exe, '/');
	if (streq(exe, BINDIR "/belljar") || !slash)
		return xstrdup(PKGLIBDIR);
	*slash = '\0';
	return xstrdup(exe);
}

static char *path_of(const char *module, struct err *err)
{
	_cleanup_free_ char *where = directory(err);

	return where ? xasprintf("%s/%s.so", where, module) : NULL;
}

char *module_stamp(const char *module, struct err *err)
{
	_cleanup_free_ char *path = path_of(module, err);
	struct stat st;

	if (!path)
		return NULL;
	if (stat(path, &st) < 0) {
		err_set(err, errno, "%s: the part of belljar is not there", path);
		return NULL;
	}
	return xasprintf("%lld %lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

void *module_symbol(const char *module, const char *symbol, struct err *err)
{
	_cleanup_free_ char *path = path_of(module, err);

	if (!path)
		return NULL;
	/* Never unloaded, and a second dlopen only finds the first. */
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void *found = object ? dlsym(object, symbol) : NULL;
	if (!found) {
		err_set(err, 0, "can't load the part %s: %s", module, dlerror());
		err_try(err, "make install, or run belljar where it was built");
	}
	return found;
}
