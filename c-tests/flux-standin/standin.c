/* A stand-in for libflux-core: see standin.h.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "standin.h"

enum call {
    CLOSE, AUX_GET, AUX_SET, GET_RANK, VLOG, LOG, LOG_ERROR, GET_REACTOR,
    TIMER_CREATE, PREPARE_CREATE, TIMER_RESET, START, STOP, DESTROY, UNREF,
    NOW_UPDATE, CALLS
};

static const char *const names[CALLS] = {
    "flux_close", "flux_aux_get", "flux_aux_set", "flux_get_rank",
    "flux_vlog", "flux_log", "flux_log_error", "flux_get_reactor",
    "flux_timer_watcher_create", "flux_prepare_watcher_create",
    "flux_timer_watcher_reset",
    "flux_watcher_start", "flux_watcher_stop", "flux_watcher_destroy",
    "flux_watcher_unref", "flux_reactor_now_update"
};

static int counts[CALLS];

enum state { OPEN, CLOSING, CLOSED };

struct aux {
    char *name;
    void *value;
    flux_free_f destroy;
    struct aux *next;
};

struct message {
    int level;
    char *text;
};

struct flux_reactor {
    flux_t *h;
    double now;
    bool real;            /* its clock is this machine's */
    int turn;
    flux_watcher_t *watchers;
};

struct flux_watcher {
    flux_reactor_t *r;
    flux_watcher_f cb;
    void *arg;
    bool prepare;
    int turn;             /* in which it was called last, or started */
    double after;         /* take effect at the next start, as with libev */
    double repeat;
    double at;            /* when it is due, where it is active */
    double interval;      /* repeat as it was at the start */
    bool active;
    bool unref;
    flux_watcher_t *next;
};

#ifdef STANDIN_0_88
struct flux_handle {
#else
struct flux_handle_struct {
#endif
    pthread_t owner;
    enum state state;
    uint32_t rank;
    int rank_errno;
    struct flux_reactor reactor;
    struct aux *aux;
    struct message *log;
    int log_count;
    flux_t *next;         /* closed handles are kept, to know them again */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static flux_t *closed;

__attribute__ ((noreturn)) static void die (enum call call, const char *why)
{
    fprintf (stderr, "stand-in for Flux: %s called %s\n", names[call], why);
    abort ();
}

/* Every call on a handle begins here.
 */
static void enter (flux_t *h, enum call call)
{
    __atomic_fetch_add (&counts[call], 1, __ATOMIC_RELAXED);
    if (!h)
        die (call, "with NULL");
    if (h->state == CLOSED)
        die (call, "after flux_close");
    if (!pthread_equal (h->owner, pthread_self ()))
        die (call, "from a thread that is not the handle's");
    if (h->state == CLOSING && call != DESTROY)
        die (call, "while flux_close runs aux destructors");
}

static void *xcalloc (size_t size)
{
    void *ptr;

    if (!(ptr = calloc (1, size)))
        abort ();
    return ptr;
}

flux_t *standin_open (uint32_t rank)
{
    flux_t *h = xcalloc (sizeof (*h));

    h->owner = pthread_self ();
    h->rank = rank;
    h->reactor.h = h;
    return h;
}

static void aux_free (struct aux *aux)
{
    if (aux->destroy)
        aux->destroy (aux->value);
    free (aux->name);
    free (aux);
}

void flux_close (flux_t *h)
{
    int saved_errno = errno;
    struct aux *aux;

    if (!h)
        return;
    enter (h, CLOSE);
    h->state = CLOSING;
    while ((aux = h->aux)) {
        h->aux = aux->next;
        aux_free (aux);
    }
    h->state = CLOSED;
    pthread_mutex_lock (&lock);
    h->next = closed;
    closed = h;
    pthread_mutex_unlock (&lock);
    errno = saved_errno;
}

void *flux_aux_get (flux_t *h, const char *name)
{
    enter (h, AUX_GET);
    for (struct aux *aux = h->aux; aux; aux = aux->next) {
        if (!strcmp (aux->name, name))
            return aux->value;
    }
    errno = ENOENT;
    return NULL;
}

int flux_aux_set (flux_t *h, const char *name, void *value, flux_free_f destroy)
{
    struct aux **p;
    struct aux *aux;

    enter (h, AUX_SET);
    for (p = &h->aux; (aux = *p); p = &aux->next) {
        if (!strcmp (aux->name, name)) {
            *p = aux->next;
            aux_free (aux);
            break;
        }
    }
    if (!value)
        return 0;
    aux = xcalloc (sizeof (*aux));
    if (!(aux->name = strdup (name)))
        abort ();
    aux->value = value;
    aux->destroy = destroy;
    aux->next = h->aux;
    h->aux = aux;
    return 0;
}

int flux_get_rank (flux_t *h, uint32_t *rank)
{
    enter (h, GET_RANK);
    if (h->rank_errno) {
        errno = h->rank_errno;
        return -1;
    }
    *rank = h->rank;
    return 0;
}

void standin_fail_rank (flux_t *h, int errnum)
{
    h->rank_errno = errnum;
}

/* One message for each line of the text.
 */
static void log_lines (flux_t *h, int level, char *text)
{
    char *saveptr = NULL;
    char *line;

    for (line = strtok_r (text, "\n", &saveptr); line;
         line = strtok_r (NULL, "\n", &saveptr)) {
        struct message *m;

        if (!h) {
            fprintf (stderr, "%s\n", line);
            continue;
        }
        h->log = realloc (h->log, (h->log_count + 1) * sizeof (*m));
        if (!h->log)
            abort ();
        m = &h->log[h->log_count++];
        m->level = level;
        if (!(m->text = strdup (line)))
            abort ();
    }
}

static int vlog (flux_t *h, int level, const char *fmt, va_list ap)
{
    int saved_errno = errno;
    char *text;

    if (vasprintf (&text, fmt, ap) < 0)
        return -1;
    log_lines (h, level, text);
    free (text);
    errno = saved_errno;
    return 0;
}

int flux_vlog (flux_t *h, int level, const char *fmt, va_list ap)
{
    if (h)
        enter (h, VLOG);
    return vlog (h, level, fmt, ap);
}

int flux_log (flux_t *h, int level, const char *fmt, ...)
{
    va_list ap;
    int rc;

    if (h)
        enter (h, LOG);
    va_start (ap, fmt);
    rc = vlog (h, level, fmt, ap);
    va_end (ap);
    return rc;
}

void flux_log_error (flux_t *h, const char *fmt, ...)
{
    int saved_errno = errno;
    char *text;
    char *line;
    va_list ap;

    if (h)
        enter (h, LOG_ERROR);
    va_start (ap, fmt);
    if (vasprintf (&text, fmt, ap) < 0)
        abort ();
    va_end (ap);
    if (asprintf (&line, "%s: %s", text, strerror (saved_errno)) < 0)
        abort ();
    log_lines (h, LOG_ERR, line);
    free (line);
    free (text);
    errno = saved_errno;
}

flux_reactor_t *flux_get_reactor (flux_t *h)
{
    enter (h, GET_REACTOR);
    return &h->reactor;
}

static double machine_now (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

void standin_real_time (flux_t *h)
{
    h->reactor.real = true;
    h->reactor.now = machine_now ();
}

void flux_reactor_now_update (flux_reactor_t *r)
{
    enter (r->h, NOW_UPDATE);
    if (r->real)
        r->now = machine_now ();
}

static flux_watcher_t *watcher_create (flux_reactor_t *r,
                                       flux_watcher_f cb,
                                       void *arg)
{
    flux_watcher_t *w = xcalloc (sizeof (*w));

    w->r = r;
    w->cb = cb;
    w->arg = arg;
    w->next = r->watchers;
    r->watchers = w;
    return w;
}

flux_watcher_t *flux_timer_watcher_create (flux_reactor_t *r,
                                           double after,
                                           double repeat,
                                           flux_watcher_f cb,
                                           void *arg)
{
    flux_watcher_t *w;

    enter (r->h, TIMER_CREATE);
    if (after < 0 || repeat < 0) {
        errno = EINVAL;
        return NULL;
    }
    w = watcher_create (r, cb, arg);
    w->after = after;
    w->repeat = repeat;
    return w;
}

flux_watcher_t *flux_prepare_watcher_create (flux_reactor_t *r,
                                             flux_watcher_f cb,
                                             void *arg)
{
    flux_watcher_t *w;

    enter (r->h, PREPARE_CREATE);
    w = watcher_create (r, cb, arg);
    w->prepare = true;
    return w;
}

void flux_timer_watcher_reset (flux_watcher_t *w, double after, double repeat)
{
    enter (w->r->h, TIMER_RESET);
    w->after = after;
    w->repeat = repeat;
}

void flux_watcher_start (flux_watcher_t *w)
{
    if (!w)
        return;
    enter (w->r->h, START);
    if (w->active)
        return;
    w->active = true;
    w->turn = w->r->turn;
    w->at = w->r->now + w->after;
    w->interval = w->repeat;
}

void flux_watcher_stop (flux_watcher_t *w)
{
    if (!w)
        return;
    enter (w->r->h, STOP);
    w->active = false;
}

void flux_watcher_destroy (flux_watcher_t *w)
{
    flux_watcher_t **p;

    if (!w)
        return;
    enter (w->r->h, DESTROY);
    for (p = &w->r->watchers; *p && *p != w; p = &(*p)->next)
        ;
    if (!*p)
        die (DESTROY, "twice");
    *p = w->next;
    free (w);
}

#ifdef STANDIN_0_88
void flux_watcher_unref (flux_watcher_t *w)
{
    if (!w)
        return;
    enter (w->r->h, UNREF);
    w->unref = true;
}
#endif

static flux_watcher_t *first_due (flux_reactor_t *r, double end)
{
    flux_watcher_t *first = NULL;

    for (flux_watcher_t *w = r->watchers; w; w = w->next) {
        if (w->active && !w->prepare && w->at <= end
            && (!first || w->at < first->at))
            first = w;
    }
    return first;
}

static void end_turn (flux_reactor_t *r)
{
    flux_watcher_t *w = r->watchers;

    r->turn++;
    while (w) {
        if (w->prepare && w->active && w->turn != r->turn) {
            w->turn = r->turn;
            w->cb (r, w, 0, w->arg);
            w = r->watchers;      /* it may have destroyed some */
        }
        else
            w = w->next;
    }
}

int standin_advance (flux_t *h, double seconds)
{
    flux_reactor_t *r = &h->reactor;
    double end = r->real ? machine_now () : r->now + seconds;
    flux_watcher_t *w;
    int fired = 0;

    end_turn (r);
    while ((w = first_due (r, end))) {
        if (r->now < w->at) {
            end_turn (r);
            r->now = w->at;
        }
        if (w->interval > 0)
            w->at += w->interval;
        else
            w->active = false;
        fired++;
        w->cb (r, w, 0, w->arg);
    }
    end_turn (r);
    if (r->now < end)
        r->now = end;
    return fired;
}

int standin_watchers (flux_t *h)
{
    int n = 0;

    for (flux_watcher_t *w = h->reactor.watchers; w; w = w->next)
        n++;
    return n;
}

int standin_active (flux_t *h)
{
    int n = 0;

    for (flux_watcher_t *w = h->reactor.watchers; w; w = w->next)
        n += w->active;
    return n;
}

int standin_refs (flux_t *h)
{
    int n = 0;

    for (flux_watcher_t *w = h->reactor.watchers; w; w = w->next)
        n += w->active && !w->unref;
    return n;
}

int standin_log_count (flux_t *h)
{
    return h->log_count;
}

const char *standin_log_text (flux_t *h, int i)
{
    return i >= 0 && i < h->log_count ? h->log[i].text : "(no message)";
}

int standin_log_level (flux_t *h, int i)
{
    return i >= 0 && i < h->log_count ? h->log[i].level : -1;
}

void standin_log_clear (flux_t *h)
{
    for (int i = 0; i < h->log_count; i++)
        free (h->log[i].text);
    h->log_count = 0;
}

int standin_calls (const char *function)
{
    int n = 0;

    for (int i = 0; i < CALLS; i++) {
        if (!function || !strcmp (function, names[i]))
            n += __atomic_load_n (&counts[i], __ATOMIC_RELAXED);
    }
    return n;
}
