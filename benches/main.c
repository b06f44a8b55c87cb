/* main.c - every goal of the library's speed, in one run
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Everything is called as any C program calls it, in the shared object that
 * is installed. Beside it are the floors (what cannot be avoided) and other
 * clients: those of benches/peers, where FRIPP_PEERS names their shared
 * object, and the fripp.c that this library replaces, where FRIPP_BASELINE
 * names it. See subjects.c, threads.c, shared.c, flush.c, sustained.c, holds.c
 * and memory.c for what is measured, and how.
 *
 * Shown are medians, and in brackets the quartiles, of ratios that are each
 * taken within a round. A figure that misses its goal does not fail the run:
 * on a shared machine that is for a person to judge.
 *
 * Environment: BENCH_ROUNDS (201; other parts make a share of them),
 * BENCH_ONLY (calls, threads, flush, sustained, holds or memory: only that
 * part),
 * BENCH_CALLGRIND=0 not to count instructions, BENCH_JSON=FILE to write the
 * figures there as well.
 *
 * usage: bench [MEMORY-PROGRAM [STRIPPED-LIBRARY]]
 *        bench instructions: only these, for 'make bench-guard'
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "bench.h"

static struct row rows[128];
static int row_count;

void die (const char *what)
{
    perror (what);
    exit (2);
}

static uint64_t clock_ns (clockid_t clock)
{
    struct timespec ts;

    clock_gettime (clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t now_ns (void)
{
    return clock_ns (CLOCK_MONOTONIC);
}

uint64_t cpu_ns (void)
{
    return clock_ns (CLOCK_PROCESS_CPUTIME_ID);
}

static int compare (const void *p, const void *q)
{
    double a = *(const double *)p, b = *(const double *)q;

    return (a > b) - (a < b);
}

struct spread spread_of (const double *values, int count)
{
    double *sorted = malloc (count * sizeof (*sorted));
    struct spread s;

    if (!sorted)
        die ("malloc");
    memcpy (sorted, values, count * sizeof (*sorted));
    qsort (sorted, count, sizeof (*sorted), compare);
    s.low = sorted[count / 4];
    s.median = sorted[count / 2];
    s.high = sorted[(count - 1) - count / 4];
    free (sorted);
    return s;
}

struct spread one_value (double value)
{
    return (struct spread){ value, value, value };
}

int rounds_of (int percent)
{
    const char *text = getenv ("BENCH_ROUNDS");
    long all = text ? atol (text) : 0;
    long rounds = (all > 0 ? all : 201) * percent / 100;

    return percent == 0 ? 0 : rounds > 3 ? (int)rounds : 3;
}

void progress (const char *what)
{
    if (isatty (2))
        fprintf (stderr, "\r\033[K%s", what);
}

/* -- rows ---------------------------------------------------------------- */

void add_row (struct row row)
{
    if (row_count == (int)(sizeof (rows) / sizeof (rows[0])))
        die ("more rows than there is room for");
    rows[row_count++] = row;
}

static bool is_met (const struct row *r)
{
    return r->sense == AT_LEAST ? r->value.median >= r->goal
                                : r->value.median <= r->goal;
}

static void print_value (char *text, size_t size, double value)
{
    if (value >= 1000)
        snprintf (text, size, "%.0f", value);
    else if (value >= 20)
        snprintf (text, size, "%.1f", value);
    else
        snprintf (text, size, "%.2f", value);
}

static int print_rows (void)
{
    int missed = 0;

    printf ("%-38s %-38s %22s %9s\n", "what", "compared to / unit",
            "median (quartiles)", "goal");
    for (int i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];
        char median[24], low[24], high[24], value[80], goal[24] = "";
        char of[80];
        const char *result = "";

        print_value (median, sizeof (median), r->value.median);
        print_value (low, sizeof (low), r->value.low);
        print_value (high, sizeof (high), r->value.high);
        if (r->value.low == r->value.high)
            snprintf (value, sizeof (value), "%s", median);
        else
            snprintf (value, sizeof (value), "%s (%s-%s)", median, low, high);
        if (!strcmp (r->unit, "x"))
            snprintf (of, sizeof (of), "x %s", r->of);
        else
            snprintf (of, sizeof (of), "%s%s%s", r->unit, *r->of ? ", " : "",
                      r->of);
        if (r->sense != INFO) {
            snprintf (goal, sizeof (goal), "%s %g",
                      r->sense == AT_LEAST ? ">=" : "<=", r->goal);
            result = is_met (r) ? "met" : "MISSED";
            missed += !is_met (r);
        }
        printf ("%-38s %-38s %22s %9s  %s\n", r->what, of, value, goal,
                result);
    }
    return missed;
}

static void print_subjects (void)
{
    printf ("%-48s %22s %13s %10s\n", "a call", "ns", "instructions",
            "our own");
    for (int g = 0; g < group_count; g++) {
        for (int i = 0; i < groups[g].count; i++) {
            const struct subject *s = &groups[g].subjects[i];
            char text[80] = "", median[24], low[24], high[24];

            if (!s->ns && s->instructions < 0)
                continue;
            print_value (median, sizeof (median), s->spread.median);
            print_value (low, sizeof (low), s->spread.low);
            print_value (high, sizeof (high), s->spread.high);
            if (s->ns)
                snprintf (text, sizeof (text), "%s (%s-%s)", median, low,
                          high);
            printf ("%-48s %22s", s->label, text);
            if (s->instructions >= 0)
                printf (" %13.1f %10.1f", s->instructions, s->own);
            printf ("\n");
        }
    }
    printf ("\n");
}

static void write_spread (FILE *f, const struct spread *s)
{
    fprintf (f, "\"q1\": %.5g, \"median\": %.5g, \"q3\": %.5g", s->low,
             s->median, s->high);
}

static void write_json (const char *path)
{
    static const char *senses[] = { "none", "at most", "at least" };
    const char *comma = "";
    FILE *f = fopen (path, "w");

    if (!f)
        die (path);
    fprintf (f, "{\"version\": \"%s\", \"rounds\": %d, \"rows\": [",
             fripp_version (), rounds_of (100));
    for (int i = 0; i < row_count; i++) {
        const struct row *r = &rows[i];

        fprintf (f, "%s\n  {\"key\": \"%s\", \"what\": \"%s\", \"of\": \"%s\", "
                 "\"unit\": \"%s\", ", comma, r->key, r->what, r->of,
                 r->unit);
        write_spread (f, &r->value);
        fprintf (f, ", \"sense\": \"%s\"", senses[r->sense]);
        if (r->sense != INFO)
            fprintf (f, ", \"goal\": %g, \"met\": %s", r->goal,
                     is_met (r) ? "true" : "false");
        fprintf (f, "}");
        comma = ",";
    }
    fprintf (f, "\n], \"calls\": [");
    comma = "";
    for (int g = 0; g < group_count; g++) {
        for (int i = 0; i < groups[g].count; i++) {
            const struct subject *s = &groups[g].subjects[i];

            if (!s->ns && s->instructions < 0)
                continue;
            fprintf (f, "%s\n  {\"key\": \"%s\", \"what\": \"%s\"", comma,
                     s->key, s->label);
            if (s->ns) {
                fprintf (f, ", \"ns\": {");
                write_spread (f, &s->spread);
                fprintf (f, "}");
            }
            if (s->instructions >= 0)
                fprintf (f, ", \"instructions\": %.1f, \"own\": %.1f",
                         s->instructions, s->own);
            fprintf (f, "}");
            comma = ",";
        }
    }
    fprintf (f, "\n]}\n");
    if (fclose (f) != 0)
        die (path);
}

/* -- what another program measures, and sizes ------------------------------ */

static void memory_rows (const char *program)
{
    static const struct {
        const char *key, *what, *unit;
        enum sense sense;
        double goal;
    } known[] = {
        { "allocations", "allocations, 70,000 calls and 10 flushes",
          "allocations", AT_MOST, 0 },
        { "set_allocations", "the same, 10,000 members of 1,000 sets",
          "allocations", AT_MOST, 0 },
        { "metric_heap", "memory of a metric, name of 40 bytes",
          "bytes, by malloc", AT_MOST, 200 },
        { "metric_rss", "memory of a metric, name of 40 bytes",
          "bytes, resident", AT_MOST, 200 },
        { "shared_heap", "more for a counter that threads share",
          "bytes, by malloc", AT_MOST, 80 },
        { "context_heap", "memory of an idle context", "bytes, by malloc",
          AT_MOST, 4096 },
        { "used_context_heap", "memory of a context that has sent",
          "bytes, by malloc", INFO, 0 },
        { "create_ns", "fripp_ctx_create", "ns", INFO, 0 },
        { "destroy_ns", "fripp_ctx_destroy", "ns", INFO, 0 },
    };
    char command[4096];
    char line[256];
    FILE *f;

    snprintf (command, sizeof (command), "'%s' %d", program,
              reader_start ());
    if (!(f = popen (command, "r")))
        die (command);
    while (fgets (line, sizeof (line), f)) {
        char key[64];
        double value;

        if (sscanf (line, "%63s %lf", key, &value) != 2)
            continue;
        for (size_t i = 0; i < sizeof (known) / sizeof (known[0]); i++) {
            if (!strcmp (known[i].key, key))
                add_row ((struct row) { known[i].key, known[i].what, "",
                                        known[i].unit, one_value (value),
                                        known[i].sense, known[i].goal });
        }
    }
    if (pclose (f) != 0)
        fprintf (stderr, "%s failed\n", program);
}

static void size_row (const char *library)
{
    struct stat st;

    if (stat (library, &st) < 0)
        die (library);
    add_row ((struct row) { "size", "libfripp.so, stripped", "", "KiB",
                            one_value (st.st_size / 1024.0), AT_MOST, 450 });
}

static bool wanted (const char *part)
{
    const char *only = getenv ("BENCH_ONLY");

    return !only || !*only || !strcmp (only, part);
}

static const char *self (void)
{
    static char path[4096];

    if (readlink ("/proc/self/exe", path, sizeof (path) - 1) < 0)
        die ("/proc/self/exe");
    return path;
}

int main (int argc, char **argv)
{
    const char *json = getenv ("BENCH_JSON");
    const char *mode = argc > 1 ? argv[1] : "";
    int missed;

    if (!strcmp (mode, "callgrind")) {
        subjects_open (true);
        return run_subjects ();
    }
    if (!strcmp (mode, "instructions")) {
        count_instructions (self ());
        for (int g = 0; g < group_count; g++) {
            for (int i = 0; i < groups[g].count; i++) {
                struct subject *s = &groups[g].subjects[i];

                if (s->own > 0)
                    printf ("%s %.1f\n", s->key, s->own);
            }
        }
        return 0;
    }
    setvbuf (stdout, NULL, _IOLBF, 0);
    for (int g = 0; g < group_count; g++) {
        for (int i = 0; i < groups[g].count; i++)
            groups[g].subjects[i].instructions = -1;
    }
    if (wanted ("memory") && argc > 1) {
        progress ("memory");
        memory_rows (argv[1]);
    }
    if (wanted ("memory") && argc > 2)
        size_row (argv[2]);
    if (wanted ("calls")) {
        subjects_open (false);
        for (int g = 0; g < group_count; g++) {
            progress (groups[g].subjects[0].label);
            measure_group (&groups[g]);
        }
        call_rows ();
        progress ("two threads, other clients");
        shared_rows ();
    }
    if (wanted ("threads")) {
        progress ("two threads");
        thread_rows ();
    }
    if (wanted ("flush")) {
        progress ("flush");
        flush_rows ();
    }
    if (wanted ("sustained")) {
        progress ("timings sustained");
        sustained_rows ();
    }
    if (wanted ("holds")) {
        progress ("longest calls");
        hold_rows ();
    }
    if (wanted ("calls")) {
        progress ("instructions");
        count_instructions (self ());
    }
    progress ("");
    print_subjects ();
    missed = print_rows ();
    if (lost)
        printf ("\n(%ld datagrams or samples were lost: the figures may be "
                "off)\n", lost);
    printf ("\n%d rounds. %d goals missed.\n", rounds_of (100), missed);
    if (json && *json)
        write_json (json);
    return 0;
}
