/* server.c - a server that can be stopped and killed, and says what it read
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "statsd-reader.h"
#include "tap.h"

struct server {
    struct listener *listener;
    struct board *board;
    enum fripp_dialect dialect;
    char endpoint[160];
    int buffer;
    bool busy;
    pid_t pid;                  /* -1: it is down */
    int order;                  /* closed: it is to end */
    uint64_t overruns;          /* of those before it */
};

/* Where a reader's values go.
 */
struct books {
    struct board *board;
    struct tally *tally;
};

static struct server *all[4];

static void count (const struct reading *m, double value, void *arg)
{
    struct books *books = arg;
    struct board *b = books->board;
    bool received = books->tally == &b->received;
    int64_t n = (int64_t)value;
    int i;

    if (!strcmp (m->name, "datadog.dogstatsd.client.packets_dropped"))
        b->told += n;
    if (strncmp (m->name, "faults.", 7))
        return;
    if (m->type[0] == 'c')
        books->tally->numbers += n;
    else if (m->type[0] == 'g') {
        if (received && sscanf (m->name, "faults.g%d", &i) == 1 && i < GAUGES)
            b->gauge_got[i] = n;
    }
    else {
        books->tally->samples++;
        if (n < 0 || n >= SERIALS || b->seen[n]++)
            b->twice++;
    }
}

/* Reads all that has arrived, and adds it up. Between two datagrams it takes
 * what is new from its socket, as one that receives on a thread does.
 */
static void take_all (struct server *s, struct reader *r, bool received)
{
    size_t n = 0;

    for (; n < listener_quiet (s->listener, 0); n++) {
        const struct datagram *d = listener_get (s->listener, n);

        reader_read (r, d->data, d->len);
    }
    listener_clear (s->listener);
    if (received)
        s->board->datagrams += n;
    if (reader_bad (r) && !s->board->bad[0])
        snprintf (s->board->bad, sizeof (s->board->bad), "%.60s",
                  reader_bad (r));
}

static struct reader *reader_for (struct server *s, struct books *books)
{
    struct reader *r = reader_create (s->dialect);

    reader_on_value (r, count, books);
    return r;
}

static void note_overruns (struct server *s)
{
    uint32_t info[SK_MEMINFO_VARS] = { 0 };
    socklen_t len = sizeof (info);

    (void)getsockopt (listener_fd (s->listener), SOL_SOCKET, SO_MEMINFO, info,
                      &len);
    s->board->overruns = s->overruns + info[SK_MEMINFO_DROPS];
}

/* What another processor is just delivering has found this socket already: it
 * has arrived a moment later.
 */
static void shut (struct server *s)
{
    listener_drain (s->listener);
    rest (1);
}

static void serve (struct server *s, int order)
{
    struct books books = { s->board, &s->board->received };
    struct reader *r = reader_for (s, &books);
    struct pollfd p[2] = {
        { .fd = listener_fd (s->listener), .events = POLLIN },
        { .fd = order, .events = POLLIN },
    };

    prctl (PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        if (s->busy)
            rest (1);
        (void)poll (p, 2, -1);
        pthread_mutex_lock (&s->board->lock);
        if (p[1].revents)
            shut (s);
        take_all (s, r, true);
        note_overruns (s);
        pthread_mutex_unlock (&s->board->lock);
        if (p[1].revents)
            _exit (0);
    }
}

static struct server *server_new (struct run *r, struct listener *l)
{
    struct server *s = calloc (1, sizeof (*s));

    if (!s)
        bail_out ("out of memory");
    listener_drop (l);
    s->listener = l;
    s->board = r->board;
    s->dialect = r->client->dialect;
    s->buffer = LARGE_BUFFER;
    s->pid = -1;
    for (size_t i = 0; i < sizeof (all) / sizeof (all[0]); i++) {
        if (!all[i]) {
            all[i] = s;
            return s;
        }
    }
    bail_out ("too many servers");
}

struct server *server_udp (struct run *r, const char *address, int port)
{
    struct listener *l = listen_udp_at (address, port);
    struct server *s;

    if (!l)
        return NULL;
    s = server_new (r, l);
    snprintf (s->endpoint, sizeof (s->endpoint), "%s:%d", address,
              listener_port (l));
    return s;
}

struct server *server_unix (struct run *r, const char *path)
{
    struct server *s = server_new (r, listen_unix (path));

    snprintf (s->endpoint, sizeof (s->endpoint), "unix:%s", path);
    return s;
}

void server_buffer (struct server *s, int bytes)
{
    s->buffer = bytes;
}

void server_busy (struct server *s)
{
    s->busy = true;
}

const char *server_endpoint (const struct server *s)
{
    return s->endpoint;
}

int server_port (const struct server *s)
{
    return listener_port (s->listener);
}

void server_start (struct server *s)
{
    int fd[2];

    listener_reopen (s->listener);
    (void)setsockopt (listener_fd (s->listener), SOL_SOCKET, SO_RCVBUF,
                      &s->buffer, sizeof (s->buffer));
    s->overruns = s->board->overruns;
    if (pipe (fd) < 0 || (s->pid = fork ()) < 0)
        bail_out ("no server: %s", strerror (errno));
    if (s->pid == 0) {
        close (fd[1]);
        serve (s, fd[0]);
    }
    close (fd[0]);
    s->order = fd[1];
}

static void reap (struct server *s)
{
    if (waitpid (s->pid, NULL, 0) != s->pid)
        bail_out ("waitpid: %s", strerror (errno));
    s->pid = -1;
}

void server_stop (struct server *s)
{
    close (s->order);
    reap (s);
    listener_drop (s->listener);
}

void server_hold (struct server *s)
{
    pthread_mutex_lock (&s->board->lock);
}

static void die (struct server *s)
{
    kill (s->pid, SIGKILL);
    reap (s);
    close (s->order);
}

/* Its socket is open here, too, so that what was in it can be counted.
 */
static void count_unread (struct server *s)
{
    struct books books = { s->board, &s->board->unread };
    struct reader *r = reader_for (s, &books);

    shut (s);
    take_all (s, r, false);
    note_overruns (s);
    listener_drop (s->listener);
    reader_destroy (r);
}

void server_kill (struct server *s)
{
    die (s);
    count_unread (s);
    pthread_mutex_unlock (&s->board->lock);
}

void server_vanish (struct server *s)
{
    server_hold (s);
    die (s);
    pthread_mutex_unlock (&s->board->lock);
}

void server_bury (struct server *s)
{
    server_hold (s);
    count_unread (s);
    pthread_mutex_unlock (&s->board->lock);
}

void server_hang (struct server *s)
{
    int status;

    kill (s->pid, SIGSTOP);
    if (waitpid (s->pid, &status, WUNTRACED) != s->pid)
        bail_out ("waitpid: %s", strerror (errno));
}

void server_resume (struct server *s)
{
    kill (s->pid, SIGCONT);
}

void server_forget (void)
{
    for (size_t i = 0; i < sizeof (all) / sizeof (all[0]) && all[i]; i++) {
        if (all[i]->pid >= 0) {
            close (listener_fd (all[i]->listener));
            close (all[i]->order);
        }
    }
}
