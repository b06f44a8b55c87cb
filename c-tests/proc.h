/* proc.h - what a test wants to know of its own process
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stddef.h>

#include "tap.h"

/* CLOCK_MONOTONIC in milliseconds.
 */
double now_ms (void);

/* The processor time of this thread in milliseconds.
 */
double worked_ms (void);

/* How long the calling thread took for something, less what it waited for a
 * processor: the rest it worked, or was blocked.
 */
struct meter {
    double wall;
    double waited;
};
void meter_start (struct meter *m);
double meter_stop (const struct meter *m);

int count_fds (void);
int count_threads (void);

/* The memory that the process has now.
 */
long resident_kib (void);

/* The descriptors open now that were not in a list made before.
 */
#define MAX_FDS 1024
struct fds {
    bool open[MAX_FDS];
};
void fds_list (struct fds *fds);
int fds_new (const struct fds *before, int *found, int max);

/* Waits until test (arg) is true, for timeout ms at most.
 */
bool wait_until (bool (*test) (void *arg), void *arg, int timeout)
    TAP_USE_RESULT;

/* Waits until the process has so many threads.
 */
bool wait_threads (int count, int timeout) TAP_USE_RESULT;

/* Waits, where there is nothing to wait for but time.
 */
void rest_ms (int ms);

/* What the process writes to stdout and stderr goes to a file, whose length
 * the second function returns when it ends this.
 */
struct quiet {
    int saved[2];
    int file;
};
void quiet_begin (struct quiet *q);
long quiet_end (struct quiet *q);

/* A directory of its own for the test, gone with the process.
 */
const char *scratch_dir (void);

/* What fripp_set_log () was told.
 */
#define LOGBOOK_MAX 64
struct logbook {
    int count;
    int level[LOGBOOK_MAX];
    char text[LOGBOOK_MAX][512];
};
void logbook_write (int level, const char *text, void *arg);
int logbook_count (struct logbook *book);
bool logbook_wait (struct logbook *book, int count, int timeout)
    TAP_USE_RESULT;

/* This program again, in a process of its own, with these arguments: its exit
 * status, or 1000 and more where it died of a signal.
 */
int run_again (const char *how, const char *uri)
    __attribute__ ((warn_unused_result));

#endif /* !PROC_H */
