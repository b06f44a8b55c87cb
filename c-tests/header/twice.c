/* The header twice in one file. */
#include <fripp.h>
#include <fripp.h>

int main (void)
{
    return fripp_enabled (0);
}
