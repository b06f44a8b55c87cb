/* run.c - a run: a client, what is known of it, and its end
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "proc.h"
#include "tap.h"

/* The other clients may bring nothing more, ever: waited for is for so long
 * (ms), while they record, and at the end. They flush each 20 ms.
 */
#define SOON 300
#define QUIET 700

void board_map (struct run *r, int fd)
{
    r->board_fd = fd;
    r->board = mmap (NULL, sizeof (struct board), PROT_READ | PROT_WRITE,
                     MAP_SHARED, fd, 0);
    if (r->board == MAP_FAILED)
        bail_out ("mmap: %s", strerror (errno));
}

void board_make (struct run *r)
{
    pthread_mutexattr_t attr;
    int fd = memfd_create ("board", 0);

    if (fd < 0 || ftruncate (fd, sizeof (struct board)) < 0)
        bail_out ("memfd_create: %s", strerror (errno));
    board_map (r, fd);
    pthread_mutexattr_init (&attr);
    pthread_mutexattr_setpshared (&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init (&r->board->lock, &attr);
}

void complain (struct run *r, const char *fmt, ...)
{
    va_list ap;

    if (r->board->why[0])
        return;
    va_start (ap, fmt);
    vsnprintf (r->board->why, sizeof (r->board->why), fmt, ap);
    va_end (ap);
}

int64_t gauges (const struct board *b, bool newest)
{
    int64_t n = 0;

    for (int i = 0; i < b->gauges; i++)
        n += b->gauge_set[i] != 0
             && (!newest || b->gauge_set[i] == b->gauge_got[i]);
    return n;
}

struct sum sum_up (const struct board *b)
{
    struct sum s = {
        .recorded = b->recorded.numbers + b->recorded.samples,
        .received = b->received.numbers + b->received.samples,
        .unread = b->unread.numbers + b->unread.samples,
        .counted = b->told,
    };

    s.recorded += gauges (b, false);
    s.received += gauges (b, true);
    for (int i = 0; i < PROCESSES; i++)
        s.counted += b->stats[i].dropped;
    return s;
}

uint64_t pending (const struct board *b)
{
    uint64_t bytes = 0;

    for (int i = 0; i < PROCESSES; i++)
        bytes += b->stats[i].pending;
    return bytes;
}

void at_udp (struct run *r)
{
    if (!(r->server = server_udp (r, "127.0.0.1", 0)))
        bail_out ("no UDP on loopback");
}

void at_path (struct run *r)
{
    char path[120];

    snprintf (path, sizeof (path), "%s/%d", scratch_dir (), (int)getpid ());
    r->server = server_unix (r, path);
}

bool start (struct run *r)
{
    struct board *b = r->board;
    pid_t pid;

    if (!r->endpoint[0])
        strcpy (r->endpoint, server_endpoint (r->server));
    if (r->period == 0)
        r->period = 20;
    b->processes = 1;
    fflush (NULL);
    if ((pid = fork ()) < 0)
        bail_out ("fork: %s", strerror (errno));
    if (pid == 0) {
        prctl (PR_SET_PDEATHSIG, SIGKILL);
        (void)sched_setscheduler (0, SCHED_OTHER, &(struct sched_param){ 0 });
        server_forget ();
        client_main (r);
    }
    b->pid = pid;
    /* one that is gone before it records could not be made */
    while (!b->made) {
        siginfo_t info = { 0 };

        if (waitid (P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0
            && info.si_pid == pid)
            return false;
        rest (1);
    }
    return true;
}

struct wanted {
    struct run *run;
    int64_t count;
};

static bool wait_wanted (struct run *r, bool (*test) (void *arg), int64_t count)
{
    struct wanted wanted = { r, count };

    /* it has failed already: soon to the end */
    return wait_until (test, &wanted, r->board->why[0] ? SOON : DEADLINE);
}

static bool has_recorded (void *arg)
{
    const struct wanted *w = arg;

    return sum_up (w->run->board).recorded >= w->count;
}

void wait_recorded (struct run *r, int64_t more)
{
    if (!wait_wanted (r, has_recorded, sum_up (r->board).recorded + more))
        complain (r, "the client does not go on");
}

static bool has_received (void *arg)
{
    const struct wanted *w = arg;
    struct sum s = sum_up (w->run->board);

    return s.received > w->count
           || s.received + s.unread >= s.recorded;
}

void wait_received (struct run *r)
{
    struct wanted wanted = { r, sum_up (r->board).received };
    bool ours = r->client->ours;
    int patience = ours && !r->board->why[0] ? DEADLINE : SOON;

    if (!wait_until (has_received, &wanted, patience) && ours)
        complain (r, "nothing is received any more");
}

static bool has_done (void *arg)
{
    const struct wanted *w = arg;

    return w->run->board->did >= w->count;
}

void tell (struct run *r, int step)
{
    r->board->step = step;
    if (!wait_wanted (r, has_done, step))
        complain (r, "the client is stuck in step %d", step);
}

/* Nothing comes any more: all is there, or what is not is known to be lost in
 * the server's buffer.
 */
static bool is_complete (const struct board *b)
{
    struct sum s = sum_up (b);

    if (pending (b) > 0 || gauges (b, true) < gauges (b, false))
        return false;
    if (b->overruns > 0)
        return b->datagrams + b->overruns
               >= b->stats[0].datagrams + b->stats[1].datagrams;
    return s.received + s.unread + s.counted >= s.recorded;
}

/* Until all is there, or nothing has changed for long.
 */
static void settle (struct run *r)
{
    struct board *b = r->board;
    int64_t before = -1;
    double since = now_ms ();
    double patience = r->client->ours && !b->why[0]
                      ? DEADLINE : QUIET + 2 * r->period;

    while (now_ms () - since < patience) {
        struct sum s = sum_up (b);

        if (r->client->ours ? is_complete (b) : s.received == s.recorded)
            return;
        if (s.received != before)
            since = now_ms ();
        before = s.received;
        rest (1);
    }
    if (r->client->ours)
        complain (r, "%lld of %lld received, and no more comes: %llu ran over, "
                  "%llu bytes wait", (long long)sum_up (b).received,
                  (long long)sum_up (b).recorded,
                  (unsigned long long)b->overruns,
                  (unsigned long long)pending (b));
}

static bool is_idle (void *arg)
{
    const struct wanted *w = arg;

    return w->run->board->idle >= w->run->board->processes;
}

static bool has_ended (void *arg)
{
    const struct wanted *w = arg;
    siginfo_t info = { 0 };

    return waitid (P_PID, w->run->board->pid, &info,
                   WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

void finish (struct run *r)
{
    struct board *b = r->board;
    int status = 0;

    b->stop = true;
    if (!wait_until (is_idle, &(struct wanted){ r, 0 }, STUCK * 500)
        && !has_ended (&(struct wanted){ r, 0 }))
        complain (r, "the client does not stop");
    if (!r->fault->end)
        settle (r);
    b->settled = true;
    if (!wait_wanted (r, has_ended, 0)) {
        complain (r, "the client does not end");
        kill (b->pid, SIGKILL);
    }
    if (waitpid (b->pid, &status, 0) == b->pid && WIFSIGNALED (status))
        complain (r, "the client died: %s", strsignal (WTERMSIG (status)));
    else if (WEXITSTATUS (status) != 0)
        complain (r, "the client ended with %d", WEXITSTATUS (status));
    server_stop (r->server);
}

void play_step (struct run *r)
{
    server_start (r->server);
    if (!start (r))
        return;
    wait_recorded (r, 5000);
    tell (r, 1);
    wait_received (r);
    finish (r);
}
