/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

#define RECEIVE_BUFFER (4 * 1024 * 1024)

struct listener {
    struct sockaddr_storage address;
    socklen_t address_len;
    int fd;               /* -1: nobody is there */
    int reserved;         /* keeps the port, with UDP */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    pthread_t thread;
    bool threaded;
    int stop[2];
    struct datagram *datagrams;
    size_t count;
    size_t size;
    size_t lines;
    char buf[65536];
};

static void *xrealloc (void *ptr, size_t size)
{
    if (!(ptr = realloc (ptr, size)))
        bail_out ("out of memory");
    return ptr;
}

static void share_port (int fd)
{
    int on = 1;

    (void)setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof (on));
}

static int open_socket (struct listener *l)
{
    int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int size = RECEIVE_BUFFER;
    int fd;

    if ((fd = socket (l->address.ss_family, type, 0)) < 0)
        return -1;
    (void)setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size));
    if (listener_port (l) > 0)
        share_port (fd);
    if (bind (fd, (struct sockaddr *)&l->address, l->address_len) < 0) {
        close (fd);
        return -1;
    }
    /* not before: the system would choose a port that others share */
    if (l->address.ss_family != AF_UNIX)
        share_port (fd);
    return fd;
}

/* A UDP socket that is connected to itself holds its port, so that nobody
 * else gets it, and receives nothing: for a sender it is not there.
 */
static void connect_to_itself (struct listener *l, int fd)
{
    l->address_len = sizeof (l->address);
    if (getsockname (fd, (struct sockaddr *)&l->address, &l->address_len) < 0
        || connect (fd, (struct sockaddr *)&l->address, l->address_len) < 0)
        bail_out ("cannot reserve a port: %s", strerror (errno));
}

static int reserve_port (struct listener *l)
{
    int fd = open_socket (l);

    if (fd >= 0)
        connect_to_itself (l, fd);
    return fd;
}

static struct listener *listener_new (void)
{
    struct listener *l = xrealloc (NULL, sizeof (*l));

    memset (l, 0, sizeof (*l));
    l->fd = -1;
    l->reserved = -1;
    pthread_mutex_init (&l->lock, NULL);
    pthread_cond_init (&l->arrived, NULL);
    return l;
}

struct listener *listen_udp (const char *address)
{
    return listen_udp_at (address, 0);
}

struct listener *listen_udp_at (const char *address, int port)
{
    struct listener *l = listener_new ();
    struct sockaddr_in *v4 = (struct sockaddr_in *)&l->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&l->address;

    if (inet_pton (AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons (port);
        l->address_len = sizeof (*v4);
    }
    else if (inet_pton (AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons (port);
        l->address_len = sizeof (*v6);
    }
    else
        bail_out ("no address: %s", address);
    if ((l->reserved = reserve_port (l)) < 0) {
        listener_destroy (l);
        return NULL;
    }
    listener_reopen (l);
    return l;
}

struct listener *listen_unix (const char *name)
{
    struct listener *l = listener_new ();
    struct sockaddr_un *un = (struct sockaddr_un *)&l->address;
    size_t len = strlen (name);

    if (len >= sizeof (un->sun_path))
        bail_out ("too long for a UNIX socket: %s", name);
    un->sun_family = AF_UNIX;
    memcpy (un->sun_path, name, len);
    l->address_len = offsetof (struct sockaddr_un, sun_path) + len;
    if (name[0] == '@')
        un->sun_path[0] = '\0';
    listener_reopen (l);
    return l;
}

static const char *unix_path (const struct listener *l)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&l->address;

    if (un->sun_family != AF_UNIX || un->sun_path[0] == '\0')
        return NULL;
    return un->sun_path;
}

void listener_reopen (struct listener *l)
{
    if (l->fd >= 0)
        bail_out ("the listener is there already");
    if ((l->fd = open_socket (l)) < 0)
        bail_out ("cannot listen: %s", strerror (errno));
}

void listener_drop (struct listener *l)
{
    bool threaded = l->threaded;

    if (threaded)
        listener_stop (l);
    if (l->fd >= 0)
        close (l->fd);
    l->fd = -1;
    if (unix_path (l))
        (void)unlink (unix_path (l));
}

void listener_destroy (struct listener *l)
{
    if (!l)
        return;
    listener_drop (l);
    if (l->reserved >= 0)
        close (l->reserved);
    listener_clear (l);
    free (l->datagrams);
    pthread_mutex_destroy (&l->lock);
    pthread_cond_destroy (&l->arrived);
    free (l);
}

int listener_port (const struct listener *l)
{
    if (l->address.ss_family == AF_INET)
        return ntohs (((const struct sockaddr_in *)&l->address)->sin_port);
    if (l->address.ss_family == AF_INET6)
        return ntohs (((const struct sockaddr_in6 *)&l->address)->sin6_port);
    return 0;
}

int listener_fd (const struct listener *l)
{
    return l->fd;
}

static void keep (struct listener *l, const char *data, size_t len, int port)
{
    struct datagram *d;

    if (l->count == l->size) {
        l->size = l->size ? l->size * 2 : 64;
        l->datagrams = xrealloc (l->datagrams, l->size * sizeof (*d));
    }
    d = &l->datagrams[l->count++];
    d->data = xrealloc (NULL, len + 1);
    memcpy (d->data, data, len);
    d->data[len] = '\0';
    d->len = len;
    d->port = port;
    l->lines++;
    for (size_t i = 0; i < len; i++)
        l->lines += data[i] == '\n';
}

/* Keeps one datagram, if there is one.
 */
static bool receive_one (struct listener *l)
{
    struct sockaddr_storage from = { 0 };
    socklen_t from_len = sizeof (from);
    int port = 0;
    ssize_t n;

    n = recvfrom (l->fd, l->buf, sizeof (l->buf), 0, (struct sockaddr *)&from,
                  &from_len);
    if (n < 0)
        return false;
    if (from.ss_family == AF_INET)
        port = ntohs (((struct sockaddr_in *)&from)->sin_port);
    if (from.ss_family == AF_INET6)
        port = ntohs (((struct sockaddr_in6 *)&from)->sin6_port);
    pthread_mutex_lock (&l->lock);
    keep (l, l->buf, (size_t)n, port);
    pthread_cond_broadcast (&l->arrived);
    pthread_mutex_unlock (&l->lock);
    return true;
}

void listener_drain (struct listener *l)
{
    int rc;

    /* connected to itself it serves no one else; who sends to a UNIX socket
     * that is shut down gets EPIPE
     */
    if (l->address.ss_family == AF_UNIX)
        rc = shutdown (l->fd, SHUT_RD);
    else
        rc = connect (l->fd, (struct sockaddr *)&l->address, l->address_len);
    if (rc < 0)
        bail_out ("cannot drain: %s", strerror (errno));
    while (receive_one (l))
        ;
}

/* Waits for one more datagram until the time `end` of now_ms ().
 */
static bool wait_more (struct listener *l, double end)
{
    double left = end - now_ms ();

    if (left < 0)
        left = 0;
    if (l->threaded) {
        struct timespec ts;
        size_t before;
        bool more;

        clock_gettime (CLOCK_REALTIME, &ts);
        ts.tv_nsec += (long)(left * 1e6) % 1000000000;
        ts.tv_sec += (long)(left / 1e3) + ts.tv_nsec / 1000000000;
        ts.tv_nsec %= 1000000000;
        pthread_mutex_lock (&l->lock);
        before = l->count;
        while (l->count == before) {
            if (pthread_cond_timedwait (&l->arrived, &l->lock, &ts))
                break;
        }
        more = l->count != before;
        pthread_mutex_unlock (&l->lock);
        return more;
    }
    for (;;) {
        struct pollfd p = { .fd = l->fd, .events = POLLIN };

        if (receive_one (l))
            return true;
        if (left <= 0)
            return false;
        (void)poll (&p, 1, (int)left + 1);
        left = end - now_ms ();
    }
}

/* Waits a little: a datagram may come between the caller's look and the wait.
 * False when the time is over.
 */
static bool wait_some (struct listener *l, double end)
{
    double soon = now_ms () + 20;

    (void)wait_more (l, soon < end ? soon : end);
    return now_ms () < end;
}

size_t listener_wait (struct listener *l, size_t datagrams, int timeout)
{
    double end = now_ms () + timeout;

    while (listener_count (l) < datagrams && wait_some (l, end))
        ;
    return listener_count (l);
}

size_t listener_wait_lines (struct listener *l, size_t lines, int timeout)
{
    double end = now_ms () + timeout;

    while (listener_lines (l) < lines && wait_some (l, end))
        ;
    return listener_lines (l);
}

void listener_need_at (struct listener *l, size_t n, bool lines,
                       const char *file, int line)
{
    size_t got = lines ? listener_wait_lines (l, n, DEADLINE)
                       : listener_wait (l, n, DEADLINE);

    if (got < n)
        bail_out ("%s:%d: %zu of %zu %s arrived", file, line, got, n,
                  lines ? "lines" : "datagrams");
}

void listener_idle (struct listener *l, int ms)
{
    (void)wait_more (l, now_ms () + ms);
}

size_t listener_quiet (struct listener *l, int ms)
{
    while (wait_more (l, now_ms () + ms))
        ;
    return listener_count (l);
}

static void *receive_all (void *arg)
{
    struct listener *l = arg;
    struct pollfd p[2] = {
        { .fd = l->fd, .events = POLLIN },
        { .fd = l->stop[0], .events = POLLIN },
    };

    do {
        while (receive_one (l))
            ;
        (void)poll (p, 2, -1);
    } while (!p[1].revents);
    while (receive_one (l))
        ;
    return NULL;
}

void listener_start (struct listener *l)
{
    if (pipe2 (l->stop, O_CLOEXEC) < 0
        || pthread_create (&l->thread, NULL, receive_all, l))
        bail_out ("cannot start a thread that receives");
    l->threaded = true;
}

void listener_stop (struct listener *l)
{
    close (l->stop[1]);
    pthread_join (l->thread, NULL);
    close (l->stop[0]);
    l->threaded = false;
}

const struct datagram *listener_get (const struct listener *l, size_t i)
{
    static const struct datagram none = { .data = "(none)" };

    return i < l->count ? &l->datagrams[i] : &none;
}

size_t listener_count (struct listener *l)
{
    size_t n;

    pthread_mutex_lock (&l->lock);
    n = l->count;
    pthread_mutex_unlock (&l->lock);
    return n;
}

size_t listener_lines (struct listener *l)
{
    size_t n;

    pthread_mutex_lock (&l->lock);
    n = l->lines;
    pthread_mutex_unlock (&l->lock);
    return n;
}

char *listener_text (struct listener *l)
{
    size_t len = 0;
    char *text;

    pthread_mutex_lock (&l->lock);
    for (size_t i = 0; i < l->count; i++)
        len += l->datagrams[i].len + 1;
    text = xrealloc (NULL, len + 1);
    len = 0;
    for (size_t i = 0; i < l->count; i++) {
        memcpy (text + len, l->datagrams[i].data, l->datagrams[i].len);
        len += l->datagrams[i].len;
        text[len++] = '\n';
    }
    text[len] = '\0';
    pthread_mutex_unlock (&l->lock);
    return text;
}

bool listener_got (struct listener *l, size_t i, const void *data, size_t len)
{
    const struct datagram *d;
    bool same;

    pthread_mutex_lock (&l->lock);
    d = listener_get (l, i);
    same = i < l->count && d->len == len && !memcmp (d->data, data, len);
    pthread_mutex_unlock (&l->lock);
    return same;
}

void listener_clear (struct listener *l)
{
    pthread_mutex_lock (&l->lock);
    for (size_t i = 0; i < l->count; i++)
        free (l->datagrams[i].data);
    l->count = 0;
    l->lines = 0;
    pthread_mutex_unlock (&l->lock);
}
