/*
 * holder_image.S - the holder's program as a part of belljar
 *
 * No path has to be found and no version can differ: what belljar starts as a holder is what it was built with.
 */
	.section .rodata
	.balign 4096
	.globl holder_image
	.globl holder_image_end
holder_image:
	.incbin "holder"
holder_image_end:
	.section .note.GNU-stack, "", @progbits
