/* tally.c - what a text of StatsD lines says, added up by metric
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

#define FNV_START 14695981039346656037ULL
#define FNV_PRIME 1099511628211ULL

static uint64_t fnv (uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    } while (*text++);
    return hash;
}

static void *grown (void *p, size_t count, size_t size)
{
    if (!(p = realloc (p, count * size))) {
        perror ("realloc");
        exit (2);
    }
    return p;
}

/* The slot of the hash table where a metric is, or would go.
 */
static size_t *find_slot (struct tally *t, const char *name, const char *type)
{
    size_t i = fnv (fnv (FNV_START, name), type) & (t->slots - 1);

    while (t->index[i]) {
        struct row *row = &t->rows[t->index[i] - 1];
        if (!strcmp (row->name, name) && !strcmp (row->type, type))
            break;
        i = (i + 1) & (t->slots - 1);
    }
    return &t->index[i];
}

static void more_slots (struct tally *t)
{
    t->slots = t->slots ? t->slots * 2 : 64;
    t->index = grown (t->index, t->slots, sizeof (*t->index));
    memset (t->index, 0, t->slots * sizeof (*t->index));
    for (size_t i = 0; i < t->count; i++)
        *find_slot (t, t->rows[i].name, t->rows[i].type) = i + 1;
}

struct row *tally_row (struct tally *t, const char *name, const char *type)
{
    struct row *row;
    size_t *slot;

    if (t->count * 2 >= t->slots)
        more_slots (t);
    slot = find_slot (t, name, type);
    if (*slot)
        return &t->rows[*slot - 1];

    if (t->count == t->size) {
        t->size = t->size ? t->size * 2 : 32;
        t->rows = grown (t->rows, t->size, sizeof (*t->rows));
    }
    row = &t->rows[t->count];
    memset (row, 0, sizeof (*row));
    snprintf (row->name, sizeof (row->name), "%s", name);
    snprintf (row->type, sizeof (row->type), "%s", type);
    row->digest = FNV_START;
    *slot = ++t->count;
    return row;
}

/* One line, name:value|type, which ends in a NUL.
 */
static void add_line (struct tally *t, char *line)
{
    char *value = strchr (line, ':');
    char *type = value ? strchr (value, '|') : NULL;
    char *end = NULL;
    double number = 0;
    struct row *row;

    t->lines++;
    if (type) {
        *value++ = '\0';
        *type++ = '\0';
        number = strtod (value, &end);
    }
    if (!end || *end || end == value || !*line || !*type
        || strlen (line) >= sizeof (row->name)
        || strlen (type) >= sizeof (row->type)) {
        t->invalid++;
        return;
    }
    row = tally_row (t, line, type);
    row->lines++;
    row->sum += number;
    row->last = number;
    row->digest = fnv (row->digest, value);
}

void tally_add (struct tally *t, const char *datagram, size_t len)
{
    char *text = grown (NULL, len + 1, 1);
    char *line = text;
    char *end;

    memcpy (text, datagram, len);
    text[len] = '\0';
    t->datagrams++;
    while ((end = strchr (line, '\n'))) {
        *end = '\0';
        add_line (t, line);
        line = end + 1;
    }
    add_line (t, line);
    free (text);
}

void tally_write (const struct tally *t, FILE *f)
{
    fprintf (f, "%lu %lu %lu\n", t->datagrams, t->lines, t->invalid);
    for (size_t i = 0; i < t->count; i++) {
        const struct row *row = &t->rows[i];
        fprintf (f, "%s %s %lu %a %a %" PRIx64 "\n", row->name, row->type,
                 row->lines, row->sum, row->last, row->digest);
    }
}

int tally_read (struct tally *t, FILE *f)
{
    struct row in;
    int n;

    if (fscanf (f, "%lu %lu %lu\n", &t->datagrams, &t->lines,
                &t->invalid) != 3)
        return -1;
    while ((n = fscanf (f, "%255s %7s %lu %la %la %" SCNx64 "\n", in.name,
                        in.type, &in.lines, &in.sum, &in.last,
                        &in.digest)) == 6)
        *tally_row (t, in.name, in.type) = in;
    return n == EOF ? 0 : -1;
}

void tally_free (struct tally *t)
{
    free (t->rows);
    free (t->index);
    memset (t, 0, sizeof (*t));
}

/* -- the table ----------------------------------------------------------- */

/* A row of the table: all metrics whose names differ in a rank only, or in
 * the last part for the counters of a module.
 */
struct group {
    char name[256];
    const char *type;
    unsigned int metrics;
    unsigned long sent;
    unsigned long arrived;
    double sent_value;
    double arrived_value;
    unsigned long missing;
};

static const char *type_name (const char *type)
{
    return !strcmp (type, "C") ? "total"
        : !strcmp (type, "c") ? "counter"
        : !strcmp (type, "g") ? "gauge"
        : !strcmp (type, "ms") ? "timing" : type;
}

static void group_name (const struct row *row, char *name, size_t size)
{
    char *last;
    char *out = name;
    const char *in = row->name;

    while (*in && out < name + size - 2) {
        if (isdigit ((unsigned char)*in) && in > row->name && in[-1] == '.') {
            size_t digits = strspn (in, "0123456789");
            if (in[digits] == '.') {
                *out++ = '*';
                in += digits;
                continue;
            }
        }
        *out++ = *in++;
    }
    *out = '\0';
    if (!strcmp (row->type, "C") && (last = strrchr (name, '.')))
        strcpy (last, ".*");
}

static bool same (const struct row *a, const struct row *b)
{
    return a->lines == b->lines && a->digest == b->digest;
}

/* Lines of a metric that did not arrive as they were sent.
 */
static unsigned long missing (const struct row *sent, const struct row *got)
{
    unsigned long n;

    if (same (sent, got))
        return 0;
    n = sent->lines > got->lines ? sent->lines - got->lines
        : got->lines - sent->lines;
    return n ? n : 1;
}

/* What is worth showing of a metric: the sum of timings, of which the mean is
 * made below, and the last value of all others.
 */
static double value (const struct row *row)
{
    return !strcmp (row->type, "ms") ? row->sum : row->last;
}

/* A number with a comma after the thousands, in one of a few buffers.
 */
static const char *number (double n, int decimals)
{
    static char bufs[8][48];
    static unsigned int next;
    char digits[40];
    char *out = bufs[next++ % 8];
    char *start = out;
    int len = snprintf (digits, sizeof (digits), "%.*f", decimals, n);
    int whole = decimals ? len - decimals - 1 : len;

    for (int i = 0; i < len; i++) {
        if (i && i < whole && (whole - i) % 3 == 0 && digits[i - 1] != '-')
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return start;
}

static const char *shown (const struct group *g, double value,
                          unsigned long lines)
{
    static char bufs[4][64];
    static unsigned int next;
    char *out = bufs[next++ % 4];

    if (strcmp (g->type, "ms"))
        snprintf (out, sizeof (bufs[0]), "%s", number (value, 0));
    else
        snprintf (out, sizeof (bufs[0]), "%s ms",
                  number (lines ? value / lines : 0, 3));
    return out;
}

static int compare (const void *p, const void *q)
{
    static const char *order[] = { "ms", "g", "C" };
    const struct group *a = p, *b = q;
    size_t i = 0, j = 0;

    while (i < 3 && strcmp (a->type, order[i]))
        i++;
    while (j < 3 && strcmp (b->type, order[j]))
        j++;
    return i != j ? (int)i - (int)j : strcmp (a->name, b->name);
}

static struct group *group_of (struct group *groups, size_t *count,
                               const struct row *row, int all)
{
    char name[256];
    struct group *g;

    if (all)
        snprintf (name, sizeof (name), "%s", row->name);
    else
        group_name (row, name, sizeof (name));
    for (size_t i = 0; i < *count; i++) {
        if (!strcmp (groups[i].name, name)
            && !strcmp (groups[i].type, row->type))
            return &groups[i];
    }
    g = &groups[(*count)++];
    strcpy (g->name, name);
    g->type = row->type;
    return g;
}

static void line (const char *left, int width)
{
    printf ("%s", left);
    while (width-- > 0)
        putchar ('-');
    putchar ('\n');
}

unsigned long tally_print (struct tally *sent, struct tally *arrived, int all)
{
    struct group *groups;
    struct group total = { .name = "all" };
    size_t count = 0;
    int width = 12;

    /* what arrived and was not sent has a row, too */
    if (arrived) {
        for (size_t i = 0; i < arrived->count; i++)
            tally_row (sent, arrived->rows[i].name, arrived->rows[i].type);
    }
    groups = calloc (sent->count + 1, sizeof (*groups));
    if (!groups) {
        perror ("calloc");
        exit (2);
    }
    for (size_t i = 0; i < sent->count; i++) {
        const struct row *row = &sent->rows[i];
        struct group *g = group_of (groups, &count, row, all);

        g->metrics++;
        g->sent += row->lines;
        g->sent_value += value (row);
        if (arrived) {
            const struct row *got = tally_row (arrived, row->name, row->type);
            g->arrived += got->lines;
            g->arrived_value += value (got);
            g->missing += missing (row, got);
        }
    }
    qsort (groups, count, sizeof (*groups), compare);
    for (size_t i = 0; i < count; i++) {
        int len = (int)strlen (groups[i].name);
        width = len > width ? len : width;
    }

    printf ("  %-*s            %s        value\n", width, "",
            arrived ? "      lines  lines       value" : "      lines");
    printf ("  %-*s  type     metrics    sent", width, "metric");
    if (arrived)
        printf ("  arrived        sent     arrived  missing\n");
    else
        printf ("        sent\n");
    line ("  ", width + (arrived ? 72 : 38));
    for (size_t i = 0; i < count; i++) {
        const struct group *g = &groups[i];

        printf ("  %-*s  %-7s  %7u  %6s", width, g->name,
                type_name (g->type), g->metrics, number (g->sent, 0));
        if (arrived)
            printf ("  %7s  %10s  %10s  %7s", number (g->arrived, 0),
                    shown (g, g->sent_value, g->sent),
                    shown (g, g->arrived_value, g->arrived),
                    g->missing ? number (g->missing, 0) : "-");
        else
            printf ("  %10s", shown (g, g->sent_value, g->sent));
        putchar ('\n');
        total.metrics += g->metrics;
        total.sent += g->sent;
        total.arrived += g->arrived;
        total.missing += g->missing;
    }
    line ("  ", width + (arrived ? 72 : 38));
    printf ("  %-*s  %-7s  %7u  %6s", width, "all", "", total.metrics,
            number (total.sent, 0));
    if (arrived)
        printf ("  %7s  %10s  %10s  %7s", number (total.arrived, 0), "", "",
                total.missing ? number (total.missing, 0) : "-");
    printf ("\n  (value: the mean of timings; the last of gauges and totals, "
            "added up)\n");
    free (groups);
    return total.missing;
}

/* vi: ts=4 sw=4 expandtab
 */
