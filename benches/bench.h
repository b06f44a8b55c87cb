/* bench.h - what the parts of the benchmark share
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FRIPP_BENCH_H
#define FRIPP_BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct spread {
    double low;                 /* quartile */
    double median;
    double high;                /* quartile */
};

enum sense { INFO, AT_MOST, AT_LEAST };

/* A line of the table. Texts are not copied.
 */
struct row {
    const char *key;
    const char *what;
    const char *of;             /* what it is compared to */
    const char *unit;           /* "x": a ratio */
    struct spread value;
    enum sense sense;
    double goal;
};

/* What is timed: a batch of calls.
 */
struct subject {
    const char *key;
    const char *label;
    void (*run) (long n);
    void (*after) (long n);     /* not timed; may be NULL */
    void (*before) (long n);    /* likewise */
    long batch;
    double *ns;                 /* by round */
    struct spread spread;
    double instructions;        /* of a call; -1: not counted */
    double own;                 /* of those, the library's own */
};

struct group {
    struct subject *subjects;
    int count;
    int rounds;                 /* a share of BENCH_ROUNDS, in 1/100 */
};

/* main.c */
void die (const char *what);
uint64_t now_ns (void);
uint64_t cpu_ns (void);         /* of the process */
struct spread spread_of (const double *values, int count);
struct spread one_value (double value);
void add_row (struct row row);
int rounds_of (int percent);
void progress (const char *what);

/* subjects.c */
extern struct group groups[];
extern const int group_count;
extern long lost;               /* datagrams, or samples that were thinned */
/* steady: no flush but those that are asked for, so that instructions are the
 * same each time.
 */
void subjects_open (bool steady);
bool is_there (const struct subject *s);
struct subject *subject (const char *key);
void measure_group (struct group *g);
void call_rows (void);
void measured (const struct subject *s, long n);
int receiver_open (int *fd);
long receiver_empty (int fd);

/* threads.c, shared.c, flush.c, sustained.c, holds.c */
void thread_rows (void);
void shared_rows (void);        /* after subjects_open () */
void flush_rows (void);
void sustained_rows (void);
void hold_rows (void);

/* A process that takes what is sent to its port; it is killed with the one
 * that started it. Returns the port.
 */
int reader_start (void);

/* callgrind.c */
void count_instructions (const char *self);
int run_subjects (void);        /* under callgrind */

#endif
