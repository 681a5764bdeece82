/*
 * man.h - the manual page belljar(1), made from the tables
 */
#ifndef UI_MAN_H
#define UI_MAN_H

#include <stdio.h>

void man_print(FILE *out);

#endif
