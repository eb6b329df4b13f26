/* SPDX-License-Identifier: Apache-2.0
 * Runs a command some times, for `make bench`:  once_main ROUNDS COMMAND ARGUMENTS...
 * One JSON line a run: wall and CPU seconds, peak RSS, exit status; the command's own output is thrown away. A large parent would
 * not do: a process inherits the peak RSS of the one it was forked from. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: once_main ROUNDS COMMAND ARGUMENTS...\n");
        return 2;
    }
    for (long n = strtol(argv[1], NULL, 10); n > 0; n--) {
        struct rusage used;
        int status;
        double start = now();
        pid_t pid = fork();
        if (pid == 0) {
            int null = open("/dev/null", O_RDWR | O_CLOEXEC);
            dup2(null, 0);
            dup2(null, 1);
            dup2(null, 2);
            execv(argv[2], argv + 2);
            _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
            return 1;
        }
        printf("{\"seconds\":%.6f,\"cpu\":%.6f,\"rssKb\":%ld,\"status\":%d}\n", now() - start,
               seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    return 0;
}
