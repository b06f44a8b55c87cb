/* Every name of the header. */
#include <fripp.h>

#if FRIPP_VERSION_NUMBER < 0x000100
#error "FRIPP_VERSION_NUMBER"
#endif

static void write_log (int level, const char *text, void *arg)
{
    (void)level;
    (void)text;
    (void)arg;
}

static int send_v (struct fripp_ctx *ctx, const char *fmt, va_list ap)
    FRIPP_PRINTF (2, 0);

static int send_v (struct fripp_ctx *ctx, const char *fmt, va_list ap)
{
    return fripp_vformat_send (ctx, fmt, ap);
}

static int send_list (struct fripp_ctx *ctx, const char *fmt, ...)
    FRIPP_PRINTF (2, 3);

static int send_list (struct fripp_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start (ap, fmt);
    rc = send_v (ctx, fmt, ap);
    va_end (ap);
    return rc;
}

int main (void)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (0, "127.0.0.1:9");
    struct fripp_stats stats;
    const char *version = fripp_version ();
    bool enabled = fripp_enabled (ctx);
    char packet[FRIPP_MAX_PACKET_LEN];
    uint64_t sum;
    int rc = 0;

    (void)packet;
    rc |= fripp_set_log (ctx, write_log, 0);
    rc |= fripp_format_send (ctx, "a:%d|c", 1);
    rc |= fripp_sendf (ctx, "a:%s|c", "1");
    rc |= send_list (ctx, "a:%f|ms", 1.5);
    rc |= fripp_get_stats (ctx, &stats, sizeof (stats));
    sum = stats.lines + stats.datagrams + stats.bytes + stats.dropped
          + stats.dropped_invalid + stats.dropped_oversize
          + stats.dropped_full + stats.dropped_send + stats.pending
          + stats.send_errors + stats.reconnects + stats.resolutions;
    fripp_ctx_destroy (ctx);
    return rc != 0 || !enabled || !version[0] || sum == 0 ? 1 : 0;
}
