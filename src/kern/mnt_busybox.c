/*
 * mnt_busybox.c - a root made from the host's static busybox
 *
 * The tree (the program, a link for each of its applets, a few directories) is made once and is then the lower layer of every root: it takes
 * a millisecond and 2 MB, an overlay on it a twentieth of that. The program is copied, not bound: a bind mount could be made writable again
 * by root inside, and then it is the host's own busybox that changes.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/mem.h"
#include "kern/mnt_parts.h"
#include "kern/sys.h"

enum { PROGRAM_LARGEST = 16 * 1024 * 1024, TREE_SIZE = 32 * 1024 * 1024 };

struct program {
	const char *path;
	char *data;            /* mapped */
	size_t size;
	struct stat st;
};

static void unmap(struct program *p)
{
	if (p->data)
		munmap(p->data, p->size);
}

static bool is_static_elf(const struct program *p)
{
	const Elf64_Ehdr *e = (const void *)p->data;

	if (p->size < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_ident[EI_CLASS] != ELFCLASS64)
		return false;
	if (e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phoff > p->size || e->e_phnum > (p->size - e->e_phoff) / sizeof(Elf64_Phdr))
		return false;
	for (size_t i = 0; i < e->e_phnum; i++) {
		Elf64_Phdr ph;
		memcpy(&ph, p->data + e->e_phoff + i * sizeof ph, sizeof ph);
		if (ph.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static int advise(struct err *err)
{
	return err_try(err, "apt-get install busybox-static");
}

static int map_program(struct program *p, struct err *err)
{
	_cleanup_close_ int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &p->st) < 0) {
		err_set(err, errno, "%s: can't be opened", p->path);
		return advise(err);
	}
	if (!S_ISREG(p->st.st_mode) || p->st.st_size <= 0 || p->st.st_size > PROGRAM_LARGEST)
		return err_set(err, EINVAL, "%s: it is no program", p->path);
	p->size = (size_t)p->st.st_size;
	void *data = mmap(NULL, p->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		return err_set(err, errno, "%s: can't be read", p->path);
	p->data = data;
	if (is_static_elf(p))
		return 0;
	err_set(err, ENOEXEC, "%s: it is not statically linked, so it would not run in an empty root", p->path);
	return advise(err);
}

/* The applets' names stand in the program as one sorted list, each ended by NUL, the list by another one. */
static const char *find_applets(const struct program *p)
{
	static const char first[] = "\0[\0[[\0";
	const char *at = memmem(p->data, p->size, first, sizeof first - 1), *end = p->data + p->size;

	for (const char *name = at ? at + 1 : end; name < end;) {
		size_t n = strnlen(name, (size_t)(end - name));
		if (n == 0)
			return at + 1;
		if (n > 64 || memchr(name, '/', n))
			return NULL;
		name += n + 1;
	}
	return NULL;
}

static int put_file(int dir, const char *name, const void *data, size_t n, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd < 0 ? -1 : io_write(fd, data, n);
}

static int put_tree(int root, const struct program *p, const char *applets)
{
	static const struct { const char *name; mode_t mode; } directories[] = {
		{ "bin", 0755 },  { "dev", 0755 }, { "etc", 0755 },   { "home", 0755 }, { "mnt", 0755 }, { "proc", 0555 }, { "root", 0700 },
		{ "run", 0755 },  { "sys", 0555 }, { "tmp", 01777 },  { "usr", 0755 },  { "var", 0755 }, { "var/tmp", 01777 },
	};
	static const struct { const char *name, *target; } links[] = {
		{ "sbin", "bin" }, { "usr/bin", "../bin" }, { "usr/sbin", "../bin" }, { "var/run", "../run" },
	};
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
	static const char group[] = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n";

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdirat(root, directories[i].name, directories[i].mode) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, root, links[i].name) < 0)
			return -1;
	if (mnt_put_etc(root) < 0 || put_file(root, "etc/passwd", passwd, sizeof passwd - 1, 0644) < 0 ||
	    put_file(root, "etc/group", group, sizeof group - 1, 0644) < 0)
		return -1;
	_cleanup_close_ int bin = openat(root, "bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bin < 0 || put_file(bin, "busybox", p->data, p->size, 0755) < 0)
		return -1;
	for (const char *name = applets; *name; name += strlen(name) + 1)
		if (symlinkat("busybox", bin, name) < 0 && errno != EEXIST)
			return -1;
	return 0;
}

static int make_tree(const struct program *p, const struct mnt_owner *o, struct err *err)
{
	const char *applets = find_applets(p);
	_cleanup_close_ int root = -1;

	if (!applets) {
		err_set(err, EINVAL, "%s: no list of applets is found in it", p->path);
		return advise(err);
	}
	root = mnt_tmpfs(TREE_SIZE, 0755, o, err);
	if (root < 0)
		return -1;
	mode_t old = umask(0);
	mnt_become(o->uid, o->gid);
	int result = put_tree(root, p, applets);
	int number = errno;
	mnt_become(geteuid(), getegid());
	umask(old);
	return result < 0 ? err_set(err, number, "a root from %s can't be made", p->path) : move_fd(&root);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int mnt_busybox_tree(const char *program, const struct mnt_owner *o, struct err *err)
{
	/* Kept for the next root; made anew when the program has changed, or for another owner. */
	static int tree = -1;
	static struct stat of;
	static uint32_t uid, gid;
	struct stat now;

	if (tree >= 0 && uid == o->uid && gid == o->gid && stat(program, &now) == 0 && same_file(&now, &of))
		return tree;
	_cleanup_(unmap) struct program p = { .path = program };
	if (map_program(&p, err) < 0)
		return -1;
	close_fd(&tree);
	tree = make_tree(&p, o, err);
	of = p.st;
	uid = o->uid;
	gid = o->gid;
	return tree;
}
