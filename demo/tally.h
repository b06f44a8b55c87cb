/* tally.h - what a text of StatsD lines says, added up by metric
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct row {
    char name[256];
    char type[8];               /* as on the wire: c, C, g, ms, h, s */
    unsigned long lines;
    double sum;
    double last;
    uint64_t digest;            /* of all values, in their order */
};

struct tally {
    struct row *rows;           /* in the order of their first line */
    size_t count;
    size_t size;
    size_t *index;              /* hash table: a row's number + 1, or 0 */
    size_t slots;
    unsigned long datagrams;
    unsigned long lines;
    unsigned long invalid;      /* lines that are no name:value|type */
};

/* Add a datagram.
 */
void tally_add (struct tally *t, const char *datagram, size_t len);

/* The row of a metric, made where there is none.
 */
struct row *tally_row (struct tally *t, const char *name, const char *type);

/* Write all rows in a form that tally_read () reads.
 */
void tally_write (const struct tally *t, FILE *f);
int tally_read (struct tally *t, FILE *f);

/* Print a table of what was sent, and beside it what arrived, where that is
 * not NULL. One row for all metrics of a kind, or with all != 0 for each.
 * Returns the number of lines that are missing, or wrong.
 */
unsigned long tally_print (struct tally *sent, struct tally *arrived, int all);

void tally_free (struct tally *t);

#endif /* TALLY_H */

/* vi: ts=4 sw=4 expandtab
 */
