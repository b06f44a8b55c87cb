/* callgrind.c - instructions of a call
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * valgrind runs this program again, which then makes a batch of calls of each
 * subject. What is between the entry and the end of measured () is counted,
 * on the thread that calls, and written to a file for each: all of it, and
 * the library's own, which does not depend on the version of libc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fripp.h>

#include "bench.h"

#define CALLS 500

/* The k-th file is that of the k-th subject.
 */
static void read_file (const char *path, struct subject *s)
{
    char line[4096];
    double all = 0, own = 0;
    bool is_own = false, is_call = false;
    FILE *f = fopen (path, "r");

    if (!f)
        return;
    while (fgets (line, sizeof (line), f)) {
        unsigned long long cost;

        if (!strncmp (line, "ob=", 3))
            is_own = strstr (line, "libfripp.so") != NULL;
        else if (!strncmp (line, "calls=", 6)) {
            /* the next line is what the callee cost */
            is_call = true;
            continue;
        }
        else if (line[0] >= '0' && line[0] <= '9' && !is_call
                 && sscanf (line, "%*u %llu", &cost) == 1) {
            all += cost;
            own += is_own ? cost : 0;
        }
        is_call = false;
    }
    fclose (f);
    s->instructions = all / CALLS;
    s->own = own / CALLS;
}

/* The order in which run_subjects () runs them.
 */
static struct subject *numbered (int number)
{
    for (int g = 0; g < group_count; g++) {
        if (number < groups[g].count)
            return &groups[g].subjects[number];
        number -= groups[g].count;
    }
    return NULL;
}

static bool is_counted (const struct subject *s)
{
    /* the same code as that of another, or of many threads */
    return !strchr (s->key, '_') || (strcmp (s->key + strlen (s->key) - 2, "_2")
           && strcmp (s->key + strlen (s->key) - 2, "_3")
           && strcmp (s->key, "inc_1m"));
}

int run_subjects (void)
{
    struct subject *s;

    for (int i = 0; (s = numbered (i)); i++) {
        if (!is_counted (s) || !is_there (s)) {
            measured (NULL, 0);
            continue;
        }
        /* what only the first calls do is not a call's cost */
        for (int warm = 0; warm < 2; warm++) {
            if (s->before)
                s->before (CALLS);
            s->run (CALLS);
            if (s->after)
                s->after (CALLS);
        }
        if (s->before)
            s->before (CALLS);
        measured (s, CALLS);
        if (s->after)
            s->after (CALLS);
    }
    return 0;
}

void count_instructions (const char *self)
{
    char dir[] = "/tmp/fripp-bench-XXXXXX";
    char command[8192];
    char path[4096];
    const char *wanted = getenv ("BENCH_CALLGRIND");
    struct subject *s;

    for (int i = 0; (s = numbered (i)); i++)
        s->instructions = s->own = -1;
    if (wanted && !strcmp (wanted, "0"))
        return;
    if (system ("valgrind --version >/dev/null 2>&1") != 0) {
        fprintf (stderr, "no valgrind: instructions are not counted\n");
        return;
    }
    if (!mkdtemp (dir))
        die (dir);
    snprintf (command, sizeof (command), "valgrind -q --tool=callgrind "
              "--compress-strings=no --compress-pos=no --collect-atstart=no "
              "--toggle-collect=measured --dump-after=measured "
              "--callgrind-out-file=%s/out '%s' callgrind >/dev/null",
              dir, self);
    if (system (command) != 0)
        fprintf (stderr, "valgrind failed: %s\n", command);
    for (int i = 0; (s = numbered (i)); i++) {
        snprintf (path, sizeof (path), "%s/out.%d", dir, i + 1);
        if (is_counted (s) && is_there (s))
            read_file (path, s);
    }
    snprintf (command, sizeof (command), "rm -rf '%s'", dir);
    if (system (command) != 0)
        fprintf (stderr, "%s stays\n", dir);
}
