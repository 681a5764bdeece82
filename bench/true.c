/*
 * true.c: the command that every row runs: it ends with status 0 and does nothing else.
 *
 * It has no C library, because the start of one costs more than entering a sandbox does: on a virtual machine half a
 * millisecond for glibc, whose start-up asks the processor for its features 68 times.
 */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %edi, %edi\n\tmov $231, %eax\n\tsyscall\n\thlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x0, #0\n\tmov x8, #94\n\tsvc #0\n");
#else
int main(void)
{
	return 0;
}
#endif
