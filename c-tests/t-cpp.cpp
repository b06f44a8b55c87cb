/* fripp.hpp: contexts that own, texts of every kind, scoped timers, and every
 * call against a server. It is compiled without exceptions and RTTI.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <fripp.hpp>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"
}

#if defined (__cpp_exceptions) || defined (__cpp_rtti)
#error "compile it with -fno-exceptions -fno-rtti"
#endif

using namespace std::literals;
using fripp::type;

static_assert (!std::is_copy_constructible_v<fripp::context>
               && !std::is_copy_assignable_v<fripp::context>);
static_assert (std::is_nothrow_move_constructible_v<fripp::context>
               && std::is_nothrow_move_assignable_v<fripp::context>);
static_assert (sizeof (fripp::context) == sizeof (fripp_ctx *)
               && sizeof (fripp::metric) == sizeof (fripp_metric *)
               && sizeof (fripp::timer) == sizeof (fripp_timer));
static_assert (std::is_trivially_copyable_v<fripp::metric>
               && std::is_trivially_copyable_v<fripp::timer>);

static listener *server;

static fripp::context open_context (const char *settings)
{
    auto uri = "127.0.0.1:" + std::to_string (listener_port (server)) + "?"
        + settings;
    fripp::context ctx (uri);

    if (!ctx)
        bail_out ("no context of %s", uri.c_str ());
    return ctx;
}

/* Flush, and what has come by then is this. */
static void sends (fripp::context &ctx, const char *want, const char *what)
{
    is_str (flushed (ctx.get (), server), want, "%s", what);
    listener_clear (server);
}

static bool fails (bool result, int errnum)
{
    int got = errno;

    errno = 0;
    return !result && got == errnum;
}

static bool inside (const fripp::text &t)
{
    auto object = reinterpret_cast<const char *> (&t);
    auto s = t.get ();

    return std::less_equal<> () (object, s)
        && std::less<> () (s, object + sizeof (t));
}

static void test_texts ()
{
    std::string string = "in.a.string";
    std::string longest (255, 'x');
    std::string longer (256, 'y');
    const char *literal = "literal";
    char not_ended[] = { 'v', 'i', 'e', 'w' };
    fripp::text null = nullptr;

    ok (fripp::text (literal).get () == literal, "a literal is not copied");
    ok (fripp::text (string).get () == string.c_str (),
        "a string is not copied");
    ok (fripp::text (std::string_view (not_ended, 4)).get () == "view"sv,
        "a view gets its NUL");
    ok (fripp::text (std::string_view ()).get () == ""sv, "an empty view");
    ok (null.valid () && !null.get (), "NULL stays NULL");
    ok (inside (std::string_view (longest)), "255 bytes without allocation");
    {
        fripp::text t = std::string_view (longer);

        ok (!inside (t) && t.get () == longer, "256 bytes with one");
    }
    ok (fails (fripp::text ("a\0b"sv).valid (), EINVAL)
        && fails (fripp::text ("a\0b"s).valid (), EINVAL),
        "a NUL inside is EINVAL");
}

static void test_owner ()
{
    int before = count_fds ();
    {
        auto a = open_context ("period=3600&dialect=statsd");
        fripp_ctx *raw = a.get ();
        fripp::context b = std::move (a);
        fripp::context c;

        ok (!a && b.get () == raw, "moved from one to another");
        ok (!c && fails (c.inc ("x"), EINVAL) && !c.enabled (),
            "an empty one is EINVAL");
        b.inc ("one");
        c = std::move (b);
        ok (!b && c.get () == raw, "moved into an empty one");
        c = open_context ("period=3600&dialect=statsd");
        is_str (arrived (c.get (), server), "one:1|c",
                "what it had is destroyed, and sends what is pending");
        listener_clear (server);
        fripp::context &same = c;
        c = std::move (same);
        ok (c.enabled (), "moved into itself it stays");
        c.inc ("two");
        raw = c.release ();
        ok (!c, "released");
        fripp::context taken (raw);
        sends (taken, "two:1|c", "and taken over");
    }
    is_int (count_fds (), before, "no socket is left");
    {
        const char *none = nullptr;
        fripp::context bad ("nonsense");
        ok (!bad && errno == EINVAL, "a URI that is none");
        errno = 0;
        fripp::context null (none);
        ok (!null && errno == EINVAL,
            "a NULL is not the environment's variable");
        errno = 0;
        fripp::context nul ("127.0.0.1:1\0x"sv);
        ok (!nul && errno == EINVAL, "nor one with a NUL inside");
        errno = 0;
        fripp::context port ("127.0.0.1", 70000);
        ok (!port && errno == EINVAL, "a port that is none");
    }
    {
        fripp::context host ("127.0.0.1"sv, listener_port (server));
        ok (host.enabled () && host.set_dialect (fripp::dialect::statsd)
            && host.inc ("host"), "a host and a port");
        sends (host, "host:1|c", "and it sends there");
    }
    unsetenv ("FLUX_FRIPP_STATSD");
    auto off = fripp::context::from_environment ();
    ok (off && !off.enabled () && off.inc ("x"),
        "disabled where the environment says nothing");
}

static void test_by_name ()
{
    auto ctx = open_context (NEVER "&dialect=statsd&prefix=p");
    char view[] = { 'v', 'i', 'e', 'w', 'X' };

    ok (ctx.inc ("inc") && ctx.inc ("inc"s, 2)
        && ctx.inc (std::string_view (view, 4), 3), "inc");
    sends (ctx, "p.inc:3|c\np.view:3|c", "inc by all kinds of name");
    ok (ctx.count ("total", 5u) && ctx.count ("total", 7L), "count");
    sends (ctx, "p.total:7|c", "count sends");
    ok (ctx.gauge ("int", 3) && ctx.gauge ("size", "four"sv.size ())
        && ctx.gauge ("real", 2.5) && ctx.gauge ("float", 0.25f), "gauge");
    sends (ctx, "p.int:3|g\np.size:4|g\np.real:2.5|g\np.float:0.25|g",
           "a gauge of each kind of number");
    ok (fails (ctx.gauge ("int", UINT64_MAX), ERANGE)
        && fails (ctx.count ("total", UINT64_MAX), ERANGE),
        "a number of more than 63 bits is ERANGE");
    ok (sizeof (ssize_t) == sizeof (std::int64_t)
        || (fails (ctx.gauge ("int", std::int64_t {1} << 32), ERANGE)
            && fails (ctx.gauge ("int", INT64_MIN), ERANGE)
            && fails (ctx.count ("total", std::uint64_t {1} << 31), ERANGE)),
        "by name, so is one that ssize_t cannot hold");
    ok (ctx.gauge_add ("int", -1), "gauge_add");
    sends (ctx, "p.int:2|g", "gauge_add sends");
    ok (ctx.timing ("t", 1.5) && ctx.timing ("t", 2ms)
        && ctx.timing ("t", 3500us), "timing");
    sends (ctx, "p.t:1.5|ms\np.t:2|ms\np.t:3.5|ms",
           "a timing of ms, and of any duration");
    ok (ctx.histogram ("h", 9), "histogram");
    sends (ctx, "p.h:9|ms", "histogram sends");
    ok (ctx.unique ("users", "ann"sv) && ctx.unique ("users", "ann"s),
        "unique");
    sends (ctx, "p.users:ann|s", "unique sends");
    ok (ctx.send ("sent", 4, type::counter), "send");
    sends (ctx, "p.sent:4|c", "send sends");
    ok (ctx.forget ("int") && ctx.gauge_add ("int", 1), "forget");
    sends (ctx, "p.int:1|g", "a gauge that was forgotten is at 0");
    ok (fails (ctx.inc ("a\0b"sv), EINVAL) && fails (ctx.inc (""), EINVAL)
        && fails (ctx.unique ("users", "\0"sv), EINVAL)
        && fails (ctx.inc (std::string (600, 'n')), ENAMETOOLONG),
        "names and members that are none");
}

static void test_by_handle ()
{
    auto ctx = open_context (NEVER "&dialect=dogstatsd");
    auto c = ctx.metric (type::counter, "c");
    auto g = ctx.metric (type::gauge, "g"sv, "k:v"sv);
    auto t = ctx.metric (type::timer, "t"s);
    auto s = ctx.metric (type::set, "s");
    fripp::timer started;
    fripp::metric none;

    ok (c && g && t && s, "metric");
    ok (c.get () == ctx.metric (type::counter, "c").get (),
        "the same arguments, the same metric");
    ok (c.add () && c.add (2) && g.set (1.5) && t.record (7.0)
        && t.record (8ms) && s.unique ("m"sv), "add, set, record, unique");
    sends (ctx, "c:3|c\ng:1.5|g|#k:v\nt:7:8|ms\ns:m|s", "they send");
    ok (g.set (12u) && g.add (-2), "set and add of a gauge");
    sends (ctx, "g:10|g|#k:v", "they send");
    ok (fails (g.set (UINT64_MAX), ERANGE)
        && fails (c.set (1.5), EINVAL)
        && fails (none.add (), EINVAL)
        && fails (bool (ctx.metric (type::gauge, "g", "\0"sv)), EINVAL)
        && fails (bool (ctx.metric (static_cast<type> (9), "g")), EINVAL),
        "what is not for it is EINVAL");
    ok (t.stop (started) && started.elapsed () > 0ms, "stop");
    (void)flushed (ctx.get (), server);
    listener_clear (server);
}

static void test_events ()
{
    auto ctx = open_context (NEVER "&dialect=dogstatsd");
    const char nul[] = { 'a', '\0', 'b' };

    ok (ctx.event ("title"sv, std::string ("text"))
        && ctx.event ("t", "", fripp::alert::error, "k:v"), "event");
    sends (ctx, "_e{5,4}:title|text|t:info\n_e{1,0}:t||t:error|#k:v",
           "event sends");
    ok (ctx.service_check ("up", fripp::status::ok)
        && ctx.service_check ("up", fripp::status::unknown, "why", "k:v"),
        "service_check");
    sends (ctx, "_sc|up|0\n_sc|up|3|#k:v|m:why", "service_check sends");
    ok (!ctx.event (std::string_view (nul, sizeof (nul)), "")
        && errno == EINVAL, "a NUL inside is EINVAL");
}

/* How many lines of a timer have come; they hold times. */
static size_t timings (fripp::context &ctx)
{
    std::string_view lines = flushed (ctx.get (), server);
    size_t n = 0;

    for (auto at = lines.find ("work:"); at != lines.npos;
         at = lines.find ("work:", at + 1))
        n++;
    listener_clear (server);
    return n;
}

static void test_scopes ()
{
    auto ctx = open_context (NEVER "&dialect=statsd");
    auto m = ctx.metric (type::timer, "work");

    {
        fripp::scoped_timer a (m);
        fripp::scoped_timer b (ctx, "work"sv);
    }
    is_int (timings (ctx), 2, "each scope is timed, by handle and by name");
    {
        fripp::scoped_timer a (m);
        a.cancel ();
    }
    is_int (timings (ctx), 0, "a cancelled one is not");
    errno = EXDEV;
    {
        fripp::scoped_timer a (ctx, "");
    }
    ok (errno == EINVAL, "a name that is none says so where it is made");
    errno = EXDEV;
    {
        fripp::scoped_timer a (ctx.metric (type::counter, "count"));
        errno = EXDEV;
    }
    ok (errno == EXDEV, "its end leaves errno alone");

    fripp::timer t;
    auto first = t.get ()->t0;
    ok (ctx.timing ("work", t), "a timer by name");
    is_int (timings (ctx), 1, "and it is sent");
    t.restart ();
    ok (t.get ()->t0 > first && t.elapsed () >= 0ms, "a timer starts again");
}

static void test_lines ()
{
    auto ctx = open_context (NEVER);
    char view[] = { 'a', ':', '1', '|', 'c', 'X' };

    ok (ctx.append_lines ("later:1|c"sv), "append_lines");
    ok (ctx.appendf ("%s:%d|c", "printed", 2), "appendf");
    ok (ctx.send_lines (std::string_view (view, 5)), "send_lines");
    ok (ctx.sendf ("b:%d|g", 3), "sendf");
    is_str (arrived (ctx.get (), server), "a:1|c\nb:3|g", "sent at once");
    listener_clear (server);
    sends (ctx, "later:1|c\nprinted:2|c", "sent with the flush");
    ok (ctx.send_lines ({}) && fails (ctx.send_lines ("a\0b"sv), EINVAL)
        && fails (ctx.append_lines ("\0"sv), EINVAL)
        && fails (ctx.sendf ("%s", std::string (2000, 'x').c_str ()),
                  EMSGSIZE), "an empty text, a NUL, a long line");
}

struct log_book {
    std::vector<std::string> lines;

    void operator() (int, std::string_view text)
    {
        lines.emplace_back (text);
    }
};

static void test_settings ()
{
    auto ctx = open_context (NEVER "&dialect=statsd");
    fripp_stats stats;
    log_book book;

    ok (ctx.set_dialect (fripp::dialect::dogstatsd) && ctx.set_tags ("a:b"sv)
        && ctx.set_prefix ("pre"sv) && ctx.inc ("x"),
        "dialect, tags, prefix");
    sends (ctx, "pre.x:1|c|#a:b", "they hold");
    ok (ctx.set_agg_period (0s) && ctx.inc ("now"), "a period of 0");
    is_str (arrived (ctx.get (), server), "pre.now:1|c|#a:b",
            "sends at once");
    listener_clear (server);
    ok (ctx.set_agg_period (1500ms) && ctx.flush (), "another period");
    ok (ctx.get_stats (stats) && stats.lines >= 2 && stats.dropped == 0,
        "stats");
    ok (fails (ctx.set_prefix (std::string (200, 'p')), EINVAL)
        && fails (ctx.set_tags ("a:b\0"sv), EINVAL)
        && fails (ctx.set_agg_period (fripp::seconds (-1)), EINVAL),
        "what is none is EINVAL");

    ok (ctx.set_log (book), "set_log");
    listener_drop (server);
    ctx.inc ("lost");
    ctx.flush ();
    ok (book.lines.size () == 1 && !book.lines[0].empty (),
        "a problem is told to an object");
    ok (ctx.unset_log (), "unset_log");
    listener_reopen (server);
    flush_all (ctx.get ());
    is_int (book.lines.size (), 1, "and its end no more");
    ok (fripp::version () == std::string_view (FRIPP_VERSION), "version");
}

int main ()
{
    server = listen_udp ("127.0.0.1");
    test_texts ();
    test_owner ();
    test_by_name ();
    test_by_handle ();
    test_events ();
    test_scopes ();
    test_lines ();
    test_settings ();
    listener_destroy (server);
    return done_testing ();
}
