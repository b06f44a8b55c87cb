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
#include "stream.h"
#include "tap.h"

/* What one that is busy reads of a stream in 1 ms.
 */
#define LITTLE 400

struct server {
    struct listener *listener;  /* or */
    struct stream *stream;
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

static void take_lines (struct server *s, struct reader *r)
{
    size_t len;
    const char *text = stream_take (s->stream, &len);

    /* without the newline at its end */
    if (len > 0)
        reader_read (r, text, len - 1);
    if (reader_bad (r) && !s->board->bad[0])
        snprintf (s->board->bad, sizeof (s->board->bad), "%.60s",
                  reader_bad (r));
}

static void serve_stream (struct server *s, int order)
{
    struct books received = { s->board, &s->board->received };
    struct books unread = { s->board, &s->board->unread };
    struct reader *r = reader_for (s, &received);
    struct pollfd p = { .fd = order, .events = POLLIN };
    char cut;

    prctl (PR_SET_PDEATHSIG, SIGKILL);
    while (!p.revents) {
        /* held here, it may have its order after that */
        pthread_mutex_lock (&s->board->lock);
        if (poll (&p, 1, 0) == 0) {
            if (s->busy)
                (void)stream_read (s->stream, LITTLE);
            else
                (void)!stream_wait (s->stream, 0, 0);
            take_lines (s, r);
        }
        pthread_mutex_unlock (&s->board->lock);
        (void)poll (&p, 1, 1);
    }
    if (read (order, &cut, 1) == 1)
        r = reader_for (s, &unread);
    pthread_mutex_lock (&s->board->lock);
    if (!stream_finish (s->stream, DEADLINE))
        snprintf (s->board->why, sizeof (s->board->why),
                  "a connection was not closed");
    take_lines (s, r);
    s->board->torn += stream_torn (s->stream);
    pthread_mutex_unlock (&s->board->lock);
    _exit (0);
}

static struct server *server_new (struct run *r)
{
    struct server *s = calloc (1, sizeof (*s));

    if (!s)
        bail_out ("out of memory");
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
    s = server_new (r);
    s->listener = l;
    listener_drop (l);
    snprintf (s->endpoint, sizeof (s->endpoint), "%s:%d", address,
              listener_port (l));
    return s;
}

struct server *server_unix (struct run *r, const char *path)
{
    struct server *s = server_new (r);

    s->listener = listen_unix (path);
    listener_drop (s->listener);
    snprintf (s->endpoint, sizeof (s->endpoint), "unix:%s", path);
    return s;
}

struct server *server_stream (struct run *r, const char *where, bool small)
{
    struct server *s = server_new (r);

    s->stream = small ? stream_listen_small (where) : stream_listen (where);
    stream_drop (s->stream);
    snprintf (s->endpoint, sizeof (s->endpoint), "%s",
              stream_uri (s->stream, ""));
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

    if (s->stream)
        stream_reopen (s->stream);
    else {
        listener_reopen (s->listener);
        (void)setsockopt (listener_fd (s->listener), SOL_SOCKET, SO_RCVBUF,
                          &s->buffer, sizeof (s->buffer));
    }
    s->overruns = s->board->overruns;
    if (pipe (fd) < 0 || (s->pid = fork ()) < 0)
        bail_out ("no server: %s", strerror (errno));
    if (s->pid == 0) {
        close (fd[1]);
        if (s->stream)
            serve_stream (s, fd[0]);
        serve (s, fd[0]);
    }
    if (s->stream)
        stream_leave (s->stream);
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
    if (s->stream)
        stream_drop (s->stream);
    else
        listener_drop (s->listener);
}

void server_cut (struct server *s)
{
    if (write (s->order, "c", 1) != 1)
        bail_out ("write: %s", strerror (errno));
    pthread_mutex_unlock (&s->board->lock);
    server_stop (s);
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
            if (!all[i]->stream)
                close (listener_fd (all[i]->listener));
            close (all[i]->order);
        }
    }
}
