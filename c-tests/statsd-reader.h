/* statsd-reader.h - reads StatsD lines and adds them up, as a server of each
 * dialect does
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef STATSD_READER_H
#define STATSD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fripp.h>

#include "listener.h"

struct reader;

/* What a server knows of one name (with its tags) and type.
 */
struct reading {
    char *name;
    char *tags;           /* as they stand in the line, or "" */
    char type[3];         /* c, C, g, ms, h, s */
    size_t lines;
    int64_t sum;          /* c: of whole numbers; C: of the growth */
    double real_sum;      /* c, ms, h: of all, each times what it stands for */
    double gauge;         /* g: the newest value */
    double values;        /* ms, h: how many, with those thinned out */
    double min, max;      /* ms, h */
    double rate;          /* ms, h: the last sample rate, 1 without one */
    size_t members;       /* s: distinct ones */
    /* the reader's own */
    int64_t last;
    long double previous; /* C: as brubeck has it */
    long double added;
    char **seen;
    struct reading *next;
};

struct reader *reader_create (enum fripp_dialect dialect);
void reader_destroy (struct reader *r);

/* Calls f with each number that is read, for a caller that wants to know more
 * of them than their sums.
 */
void reader_on_value (struct reader *r,
                      void (*f) (const struct reading *m, double value,
                                 void *arg), void *arg);

/* Reads a datagram, or all that a listener has.
 */
void reader_read (struct reader *r, const char *data, size_t len);
void reader_read_all (struct reader *r, const struct listener *l,
                      size_t count);

/* The reading of a name and type. One of zeros where there was no line.
 */
const struct reading *reader_get (const struct reader *r, const char *name,
                                  const char *type);

size_t reader_datagrams (const struct reader *r);
size_t reader_lines (const struct reader *r);
size_t reader_bytes (const struct reader *r);

/* How many names and types there are.
 */
size_t reader_metrics (const struct reader *r);

/* What no server should be sent: lines that do not read, a newline at the
 * end of a datagram, a byte that means something where it must not stand.
 * The text of the first one, or NULL.
 */
const char *reader_bad (const struct reader *r);

#endif /* !STATSD_READER_H */
