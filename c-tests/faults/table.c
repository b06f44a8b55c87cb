/* table.c - the table, as text or Markdown
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "table.h"

static enum { TEXT, FULL, SHORT } form;
static int passed;
static int failed;

#define NOTES \
    "lost: recorded and not received; counted: of those, the ones that the " \
    "client says\nit dropped (lines; the others: datagrams, 'dg'); unread: " \
    "in the server's queue when\nit was killed. The longest call, in ms: by " \
    "the clock, in CPU time, and by the clock\nless what the process waited " \
    "for a processor.\n"

void table_begin (void)
{
    const char *markdown = getenv ("FAULTS_MARKDOWN");
    const char *others = getenv ("FAULTS_PEERS") ? getenv ("FAULTS_PEERS") : "";
    time_t now = time (NULL);
    char date[32];

    if (markdown && *markdown)
        form = strcmp (markdown, "short") ? FULL : SHORT;
    setvbuf (stdout, NULL, _IOLBF, BUFSIZ);
    strftime (date, sizeof (date), "%Y-%m-%d", gmtime (&now));
    if (form == TEXT)
        printf ("%-44s %-9s %9s %9s %8s %9s %7s %9s %6s %6s\n", "fault",
                "client", "recorded", "received", "lost", "counted", "unread",
                "longest", "CPU", "held");
    else
        printf ("%s, libfripp %s%s%s:\n\n", date, fripp_version (),
                *others ? ", " : "", others);
    if (form == FULL)
        printf ("| fault | client | recorded | received | lost | counted "
                "| unread | longest, ms | CPU | held |\n"
                "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    if (form == SHORT)
        printf ("| fault | lost: libfripp | cadence | exporter "
                "| longest call, ms: libfripp | cadence | exporter |\n"
                "|---|---:|---:|---:|---:|---:|---:|\n");
}

/* Why there are no numbers, or NULL.
 */
static const char *nothing (const struct job *job)
{
    if (job->result->skipped[0])
        return job->result->skipped;
    if (!job->result->made && !job->result->why[0])
        return "cannot be made";
    return NULL;
}

static int64_t lost (const struct job *job)
{
    return job->result->sum.recorded - job->result->sum.received;
}

static void print_row (const struct job *job)
{
    const struct result *res = job->result;
    const struct longest *l = &res->longest;
    char counted[32];

    snprintf (counted, sizeof (counted), "%lld%s", (long long)res->sum.counted,
              job->client->ours || !res->sum.counted ? "" : " dg");
    if (nothing (job))
        printf (form == FULL ? "| %s | %s | %s | | | | | %.2f | | |\n"
                : "%-44s %-9s %-56s %9.2f\n", job->fault->name,
                job->client->name, nothing (job), l->wall);
    else
        printf (form == FULL ? "| %s | %s | %lld | %lld | %lld | %s | %lld "
                "| %.2f | %.2f | %.2f |\n"
                : "%-44s %-9s %9lld %9lld %8lld %9s %7lld %9.2f %6.2f %6.2f\n",
                job->fault->name, job->client->name,
                (long long)res->sum.recorded, (long long)res->sum.received,
                (long long)lost (job), counted, (long long)res->sum.unread,
                l->wall, l->cpu, l->held);
}

/* What was lost, and what is known of it.
 */
static void print_lost (const struct job *job)
{
    const struct result *res = job->result;
    int64_t n = lost (job);

    if (nothing (job))
        printf (" %s |", nothing (job));
    else if (n == 0)
        printf (" 0 |");
    else if (job->client->ours && n == res->sum.counted)
        printf (" %lld, counted |", (long long)n);
    else if (n == res->sum.unread)
        printf (" %lld, unread |", (long long)n);
    else
        printf (" %lld (%.*f %%) |", (long long)n,
                n * 10 > res->sum.recorded ? 0 : 1,
                100.0 * n / res->sum.recorded);
}

static int print_short (const struct job *jobs, int count)
{
    int n = 0;

    while (n < count && jobs[n].fault == jobs->fault) {
        if (jobs[n++].state != ENDED)
            return 0;
    }
    printf ("| %s |", jobs->fault->name);
    for (int i = 0; i < client_count; i++) {
        if (i < n)
            print_lost (&jobs[i]);
        else
            printf (" |");
    }
    for (int i = 0; i < client_count; i++) {
        if (i < n && !jobs[i].result->skipped[0])
            printf (" %.2f |", jobs[i].result->longest.held);
        else
            printf (" |");
    }
    printf ("\n");
    return n;
}

int table_rows (const struct job *jobs, int count)
{
    int n = form == SHORT ? print_short (jobs, count)
                          : jobs->state == ENDED;

    for (int i = 0; i < n; i++) {
        const char *why = jobs[i].result->why;

        if (form != SHORT)
            print_row (&jobs[i]);
        if (!jobs[i].client->ours) {
            if (*why && form == TEXT)
                printf ("%54s %s\n", "", why);
        }
        else if (*why) {
            failed++;
            printf ("FAIL: %s: %s\n", jobs[i].fault->name, why);
        }
        else if (!jobs[i].result->skipped[0])
            passed++;
    }
    return n;
}

int table_end (void)
{
    printf ("\n%s\n%d passed, %d failed\n", NOTES, passed, failed);
    return failed > 0 || passed == 0;
}
