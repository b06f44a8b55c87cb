/* module.c - modules are threads that send each other messages
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <stdlib.h>

#include "module.h"

double now (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

struct timespec timespec_of (double seconds)
{
    struct timespec ts = { .tv_sec = seconds };

    ts.tv_nsec = (seconds - ts.tv_sec) * 1e9;
    return ts;
}

void module_init (struct module *m, const char *name)
{
    pthread_condattr_t attr;

    *m = (struct module){ .name = name };
    m->last = &m->first;
    pthread_mutex_init (&m->lock, NULL);
    pthread_condattr_init (&attr);
    pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
    pthread_cond_init (&m->cond, &attr);
    pthread_condattr_destroy (&attr);
}

void module_destroy (struct module *m)
{
    struct msg *msg;

    while ((msg = m->first)) {
        m->first = msg->next;
        msg_destroy (msg);
    }
    pthread_cond_destroy (&m->cond);
    pthread_mutex_destroy (&m->lock);
}

void module_send (struct module *from, struct module *to, struct msg *msg)
{
    msg->next = NULL;
    if (msg->type == MSG_REQUEST)
        msg->from = from;
    /* several threads send for the module of the store on disk */
    __atomic_add_fetch (&from->counters.tx[msg->type], 1, __ATOMIC_RELAXED);
    pthread_mutex_lock (&to->lock);
    *to->last = msg;
    to->last = &msg->next;
    pthread_cond_signal (&to->cond);
    pthread_mutex_unlock (&to->lock);
}

struct msg *module_recv (struct module *m, const struct timespec *until)
{
    struct msg *msg;
    int e = 0;

    pthread_mutex_lock (&m->lock);
    while (!m->first && !m->closed && e != ETIMEDOUT) {
        if (until)
            e = pthread_cond_timedwait (&m->cond, &m->lock, until);
        else
            pthread_cond_wait (&m->cond, &m->lock);
    }
    if ((msg = m->first)) {
        if (!(m->first = msg->next))
            m->last = &m->first;
        m->counters.rx[msg->type]++;
    }
    pthread_mutex_unlock (&m->lock);
    return msg;
}

void module_close (struct module *m)
{
    pthread_mutex_lock (&m->lock);
    m->closed = true;
    pthread_cond_broadcast (&m->cond);
    pthread_mutex_unlock (&m->lock);
}

struct msg *msg_create (enum msg_type type, enum topic topic)
{
    struct msg *msg = xzmalloc (sizeof (*msg));

    msg->type = type;
    msg->topic = topic;
    return msg;
}

void msg_destroy (struct msg *msg)
{
    if (msg) {
        free (msg->data);
        free (msg);
    }
}

void module_respond (struct module *m, struct msg *request, int errnum,
                     void *data, size_t size)
{
    free (request->data);
    request->type = MSG_RESPONSE;
    request->errnum = errnum;
    request->data = data;
    request->size = size;
    module_send (m, request->from, request);
}

/* vi: ts=4 sw=4 expandtab
 */
