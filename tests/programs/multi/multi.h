/* What the files of the program share. */
#ifndef MULTI_H
#define MULTI_H

#include "tests/programs/sum.h"

typedef long (*item_fn)(long value, void *arg);

extern int shared[4];

long left_run(int n, item_fn fn, void *arg);
const char *left_name(void);
long right_run(int n, item_fn fn, void *arg);
const char *right_name(void);

#endif
