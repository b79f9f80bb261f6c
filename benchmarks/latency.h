/* Latencies in logarithmic buckets, 64 to an octave: the percentiles are right to 1.6 percent. */
#include <stdint.h>

enum { FINE = 64, BUCKETS = 64 * FINE };

static int64_t buckets[BUCKETS];

static void record(int64_t nanoseconds) {
    uint64_t n = nanoseconds < 1 ? 1 : (uint64_t)nanoseconds;
    int octave = 63 - __builtin_clzll(n);
    int index = octave < 6 ? (int)n : (octave - 5) * FINE + (int)(n >> (octave - 6)) - FINE;
    buckets[index < BUCKETS ? index : BUCKETS - 1]++;
}

/* Return the latency in microseconds that this part of all answers kept. */
static double percentile(double part) {
    int64_t total = 0, passed = 0;
    for (int i = 0; i < BUCKETS; i++) total += buckets[i];
    for (int i = 0; i < BUCKETS; i++) {
        passed += buckets[i];
        if (total && passed >= part * total) return (i < FINE ? i : (double)((uint64_t)(i % FINE + FINE) << (i / FINE - 1))) / 1000.0;
    }
    return 0;
}
