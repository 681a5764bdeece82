/*
 * pause.c: a process that only waits, the smallest thing that can keep a sandbox alive. Its memory is what the holder of
 * an idle sandbox is compared with.
 */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
