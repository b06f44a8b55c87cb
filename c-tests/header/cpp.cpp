/* fripp.hpp alone, and twice. */
#include <fripp.hpp>
#include <fripp.hpp>

int main ()
{
    fripp::context ctx = fripp::context::from_environment ();

    return ctx.gauge ("g", 1) && ctx.gauge ("r", 1.5) ? 0 : 1;
}
