/* A library to be preloaded: the time of day runs FAST_CLOCK_SPEED times as fast, from FAST_CLOCK_BEGIN on
   (seconds since 1970). Sleeps, timeouts and the monotonic clock stay real: a process, a disk or a request is as
   fast as ever, and must not miss a deadline because the clock runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static const long long NS = 1000000000LL;

static long long faster(long long now)
{
    static long long begin, speed;
    if (speed == 0) {
        const char *from = getenv("FAST_CLOCK_BEGIN"), *times = getenv("FAST_CLOCK_SPEED");
        begin = from ? atoll(from) * NS : 0;
        speed = from && times ? atoll(times) : 1;
    }
    return now <= begin ? now : begin + (now - begin) * speed;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int error = real(clock, at);
    if (!error && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        long long now = faster(at->tv_sec * NS + at->tv_nsec);
        at->tv_sec = now / NS;
        at->tv_nsec = now % NS;
    }
    return error;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}
