/* async-timing.c - how long loads and stores take, with many under way
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Requests to a backing store begin in one place and end in another, on
 * whatever thread and in any order. So each carries a timer of its own: a
 * struct fripp_timer is a plain value inside of the request.
 *
 * usage: FLUX_FRIPP_STATSD=127.0.0.1:8125 async-timing
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <fripp.h>

#define REQUESTS 1000
#define WORKERS 4

enum op { LOAD, STORE };

struct request {
    enum op op;
    struct fripp_timer t;       /* when it began */
    struct request *next;
};

struct store {
    struct fripp_ctx *fripp;
    /* by handle a name is looked up once, and not with each request; a
     * handle may be used by all threads at once
     */
    struct fripp_metric *load;
    struct fripp_metric *store;
    pthread_mutex_t lock;
    struct request *requests;
};

/* Begins a request, and does not wait for its end.
 */
static int begin (struct store *s, enum op op)
{
    struct request *req;

    if (!(req = calloc (1, sizeof (*req))))
        return -1;
    req->op = op;
    fripp_timer_start (&req->t);
    pthread_mutex_lock (&s->lock);
    req->next = s->requests;
    s->requests = req;
    pthread_mutex_unlock (&s->lock);
    return 0;
}

/* The continuation of a request: it has been done.
 */
static void end (struct store *s, struct request *req)
{
    fripp_metric_stop (req->op == LOAD ? s->load : s->store, &req->t);
    free (req);
}

static void *worker (void *arg)
{
    struct store *s = arg;
    struct request *req;

    for (;;) {
        pthread_mutex_lock (&s->lock);
        if ((req = s->requests))
            s->requests = req->next;
        pthread_mutex_unlock (&s->lock);
        if (!req)
            return NULL;
        end (s, req);
    }
}

static int store_init (struct store *s)
{
    if (!(s->fripp = fripp_ctx_create_uri (NULL, NULL))
        || fripp_set_prefix (s->fripp, "flux.content-cache") < 0
        || !(s->load = fripp_metric_get (s->fripp, FRIPP_TIMER, "load", NULL))
        || !(s->store = fripp_metric_get (s->fripp, FRIPP_TIMER, "store",
                                          NULL)))
        return -1;
    pthread_mutex_init (&s->lock, NULL);
    return 0;
}

int main (void)
{
    pthread_t threads[WORKERS];
    struct store s = { 0 };
    int running = 0;

    if (store_init (&s) < 0) {
        perror ("store_init");
        fripp_ctx_destroy (s.fripp);
        return 1;
    }
    for (int i = 0; i < REQUESTS; i++) {
        if (begin (&s, i % 4 ? STORE : LOAD) < 0)
            perror ("begin");
    }
    /* all of them are under way now */
    while (running < WORKERS
           && pthread_create (&threads[running], NULL, worker, &s) == 0)
        running++;
    while (running > 0)
        pthread_join (threads[--running], NULL);

    pthread_mutex_destroy (&s.lock);
    fripp_ctx_destroy (s.fripp);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
