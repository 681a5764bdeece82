/*
 * getppid.c: so many of the cheapest system calls, which is where a filter of system calls shows most.
 *
 *	getppid TIMES
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1; n > 0; n--)
		syscall(SYS_getppid);
	return 0;
}
