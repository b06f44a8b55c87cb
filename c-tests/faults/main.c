/* main.c - what each fault costs: the library, and beside it other clients
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Environment: FRIPP_PEERS=FILE      the other clients, from benches/peers
 *              FAULTS_PEERS=TEXT     their names and versions, to print
 *              FAULTS_ONLY=TEXT      only the rows whose name has it
 *              FAULTS_MARKDOWN=1     the table for docs/faults.md
 *              FAULTS_MARKDOWN=short the one in short
 *
 * The exit status is 0 where the library lost nothing that it did not count,
 * sent nothing twice, and held no call for more than a ms. The others are only
 * shown.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "table.h"
#include "tap.h"

#define JOBS 6                  /* at a time: most of them wait */
#define TRIES 3

static const struct fault *const groups[] = {
    restarts, unix_paths, kernel, names, descriptors, processes, threads, large,
    paths, streams,
};
#define GROUPS (sizeof (groups) / sizeof (groups[0]))

static struct job *jobs;
static int job_count;

/* -- one job --------------------------------------------------------------- */

/* Whether what the library did is right. What another process on this machine
 * can make happen is looked at again.
 */
static void judge (struct run *r, struct result *res)
{
    struct board *b = r->board;
    int64_t numbers = b->recorded.numbers - b->received.numbers;
    int64_t lines = b->recorded.samples - b->received.samples;
    int64_t lost_gauges = gauges (b, false) - gauges (b, true);
    uint64_t taken = b->stats[0].datagrams + b->stats[1].datagrams;
    bool ran_over = r->fault->overruns && b->overruns > 0;

    if (b->failed)
        complain (r, "%llu calls failed", (unsigned long long)b->failed);
    if (b->bad[0])
        complain (r, "no server reads '%s'", b->bad);
    if (b->twice)
        complain (r, "%llu arrived twice", (unsigned long long)b->twice);
    if (b->overruns > 0 && !ran_over) {
        res->again = true;
        if (!r->goes_first) {
            snprintf (r->skipped, sizeof (r->skipped),
                      "the server got no processor in time");
            return;
        }
        complain (r, "%llu datagrams did not fit the server's buffer",
                  (unsigned long long)b->overruns);
    }
    /* what was sent since the last look at the counts may be more */
    if (ran_over && b->datagrams + b->overruns >= taken)
        res->sum.unread = res->sum.recorded - res->sum.received;
    else if (ran_over)
        complain (r, "%llu datagrams read, %llu in an overrun, %llu sent",
                  (unsigned long long)b->datagrams,
                  (unsigned long long)b->overruns, (unsigned long long)taken);
    if (ran_over ? numbers < 0 : numbers != b->unread.numbers)
        complain (r, "counters and totals: %lld lost",
                  (long long)(numbers - b->unread.numbers));
    if (ran_over ? lines < 0 : lines != b->unread.samples + res->sum.counted)
        complain (r, "samples and packets: %lld lost and not counted",
                  (long long)(lines - b->unread.samples
                              - res->sum.counted));
    if (lost_gauges)
        complain (r, "%lld gauges are not the newest",
                  (long long)lost_gauges);
    if (!b->why[0] && b->longest.held > HELD) {
        complain (r, "a call held its caller for %.1f ms", b->longest.held);
        res->again = true;
    }
}

static void play (struct job *job)
{
    struct run r = { .fault = job->fault, .client = job->client,
                     .number = job->number };
    struct result *res = job->result;

    prctl (PR_SET_PDEATHSIG, SIGKILL);
    prctl (PR_SET_CHILD_SUBREAPER, 1);
    /* a server that gets no processor loses what it would have read: it, and
     * who starts it, go before all others, where they may
     */
    r.goes_first = sched_setscheduler (0, SCHED_FIFO,
                                       &(struct sched_param){ 1 }) == 0;
    alarm (STUCK);
    board_make (&r);
    r.fault->play (&r);
    res->sum = sum_up (r.board);
    res->made = r.board->made;
    res->longest = r.board->longest;
    if (r.client->ours && !r.skipped[0])
        judge (&r, res);
    memcpy (res->skipped, r.skipped, sizeof (res->skipped));
    if (!r.skipped[0])
        memcpy (res->why, r.board->why, sizeof (res->why));
    exit (0);
}

/* -- all of them ----------------------------------------------------------- */

static void start_job (struct job *job)
{
    memset (job->result, 0, sizeof (*job->result));
    job->tries++;
    fflush (NULL);
    if ((job->pid = fork ()) < 0)
        bail_out ("fork: %s", strerror (errno));
    if (job->pid == 0)
        play (job);
}

static struct job *next_job (void)
{
    struct job *next = NULL;

    for (int i = 0; i < job_count; i++) {
        if (jobs[i].state == WAITS
            && (!next || jobs[i].fault->seconds > next->fault->seconds))
            next = &jobs[i];
    }
    return next;
}

static void reap_job (void)
{
    int status;
    pid_t pid = wait (&status);
    struct job *job = jobs;

    while (job < jobs + job_count && (job->state != RUNS || job->pid != pid))
        job++;
    if (job == jobs + job_count)
        return;
    if (WIFSIGNALED (status))
        snprintf (job->result->why, sizeof (job->result->why),
                  "the bench died: %s", strsignal (WTERMSIG (status)));
    else if (WEXITSTATUS (status) != 0)
        snprintf (job->result->why, sizeof (job->result->why),
                  "the bench ended with %d", WEXITSTATUS (status));
    else if (job->result->again && job->tries < TRIES) {
        job->state = WAITS;
        return;
    }
    job->state = ENDED;
}

static const struct fault *fault_of (int number)
{
    for (size_t g = 0; g < GROUPS; g++) {
        for (const struct fault *f = groups[g]; f->name; f++) {
            if (number-- == 0)
                return f;
        }
    }
    return NULL;
}

/* This program took the place of a client.
 */
static void executed (char **argv)
{
    struct run r = { .fault = fault_of (atoi (argv[1])),
                     .client = &clients[atoi (argv[2])],
                     .period = atoi (argv[5]), .me = 1, .executed = true };

    board_map (&r, atoi (argv[3]));
    snprintf (r.endpoint, sizeof (r.endpoint), "%s", argv[4]);
    client_main (&r);
}

static void add_jobs (int number, const struct fault *fault, int clients_there)
{
    const char *only = getenv ("FAULTS_ONLY");

    if (only && !strstr (fault->name, only))
        return;
    for (int i = 0; i < (fault->only_ours ? 1 : clients_there); i++) {
        struct job *job = &jobs[job_count++];

        job->fault = fault;
        job->client = &clients[i];
        job->number = number;
        job->result = mmap (NULL, sizeof (*job->result),
                            PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (job->result == MAP_FAILED)
            bail_out ("mmap: %s", strerror (errno));
    }
}

int main (int argc, char **argv)
{
    int there = peers_load (getenv ("FRIPP_PEERS")) ? client_count : 1;
    int running = 0;
    int printed = 0;

    /* each job has a time of its own */
    alarm (0);
    if (argc == 6)
        executed (argv);
    if (!(jobs = calloc (1000, sizeof (*jobs))))
        bail_out ("out of memory");
    for (int n = 0; fault_of (n); n++)
        add_jobs (n, fault_of (n), there);
    table_begin ();
    while (printed < job_count) {
        struct job *next = running < JOBS ? next_job () : NULL;

        if (next) {
            start_job (next);
            next->state = RUNS;
            running++;
            continue;
        }
        reap_job ();
        running = 0;
        for (int i = 0; i < job_count; i++)
            running += jobs[i].state == RUNS;
        for (int n = 1; n > 0 && printed < job_count; printed += n)
            n = table_rows (&jobs[printed], job_count - printed);
    }
    return table_end ();
}
