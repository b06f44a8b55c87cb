/* table.h - the table that the fault bench prints
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FAULTS_TABLE_H
#define FAULTS_TABLE_H

#include "bench.h"

struct result {
    struct sum sum;
    struct longest longest;
    bool made;
    bool again;                 /* what failed may be another process's doing */
    char skipped[120];
    char why[160];              /* it failed */
};

/* One fault, put to one client.
 */
struct job {
    const struct fault *fault;
    const struct client *client;
    int number;
    struct result *result;      /* shared with its process */
    enum { WAITS, RUNS, ENDED } state;
    pid_t pid;
    int tries;
};

void table_begin (void);

/* Prints the row of jobs[0], if it has ended; or, where a fault is one row,
 * those of all its clients, if they have. Returns how many jobs were printed.
 */
int table_rows (const struct job *jobs, int count);

/* Prints how many passed and failed. Returns the status to exit with.
 */
int table_end (void);

#endif
