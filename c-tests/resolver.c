/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proc.h"
#include "resolver.h"
#include "tap.h"

typedef int (*getaddrinfo_f) (const char *node, const char *service,
                              const struct addrinfo *hints,
                              struct addrinfo **result);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char answer[64 * 1024];   /* thousands of addresses */
static bool blocked;
static int calls;
static int waiting;

/* The C library's answers for addresses in numbers, in one chain.
 */
static int look_up (const char *addresses, const char *service,
                    const struct addrinfo *hints, struct addrinfo **result)
{
    getaddrinfo_f real;
    struct addrinfo numeric = { 0 };
    struct addrinfo **end = result;
    char copy[sizeof (answer)];
    char *saveptr = NULL;
    char *address;
    int rc;

    *(void **)&real = dlsym (RTLD_NEXT, "getaddrinfo");
    if (!real)
        abort ();
    if (hints)
        numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    if (numeric.ai_socktype == 0)
        numeric.ai_socktype = SOCK_DGRAM;
    *result = NULL;
    (void)snprintf (copy, sizeof (copy), "%s", addresses);
    for (address = strtok_r (copy, " ", &saveptr); address;
         address = strtok_r (NULL, " ", &saveptr)) {
        if ((rc = real (address, service, &numeric, end)) != 0)
            return rc;
        while (*end)
            end = &(*end)->ai_next;
    }
    return *result ? 0 : EAI_NONAME;
}

int getaddrinfo (const char *node, const char *service,
                 const struct addrinfo *hints, struct addrinfo **result);

int getaddrinfo (const char *node, const char *service,
                 const struct addrinfo *hints, struct addrinfo **result)
{
    char addresses[sizeof (answer)];

    if (node && look_up (node, service, hints, result) == 0)
        return 0;
    pthread_mutex_lock (&lock);
    calls++;
    waiting++;
    while (blocked)
        pthread_cond_wait (&changed, &lock);
    waiting--;
    strcpy (addresses, answer);
    pthread_mutex_unlock (&lock);
    return look_up (addresses, service, hints, result);
}

void resolver_answer (const char *addresses)
{
    pthread_mutex_lock (&lock);
    (void)snprintf (answer, sizeof (answer), "%s", addresses ? addresses : "");
    pthread_mutex_unlock (&lock);
}

void resolver_block (bool block)
{
    pthread_mutex_lock (&lock);
    blocked = block;
    pthread_cond_broadcast (&changed);
    pthread_mutex_unlock (&lock);
}

static int locked_read (const int *number)
{
    int n;

    pthread_mutex_lock (&lock);
    n = *number;
    pthread_mutex_unlock (&lock);
    return n;
}

int resolver_calls (void)
{
    return locked_read (&calls);
}

int resolver_waiting (void)
{
    return locked_read (&waiting);
}

static bool has_waiting (void *arg)
{
    return resolver_waiting () >= *(int *)arg;
}

bool resolver_wait_for (int count, int timeout)
{
    return wait_until (has_waiting, &count, timeout);
}
