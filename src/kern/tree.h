/*
 * tree.h - removing a tree of files
 *
 * For belljar and for the session's keeper, so it needs the C library only.
 */
#ifndef KERN_TREE_H
#define KERN_TREE_H

/* Remove NAME in the directory DIR (or AT_FDCWD) and, if it is a directory, all that is in it, however deep: no link is followed, no other
 * file system entered. 0, also when it is not there, or -1 with errno; then some of it may be gone. */
int tree_remove(int dir, const char *name);

#endif
