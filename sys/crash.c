/* SPDX-License-Identifier: Apache-2.0
 * The handler calls only what is safe in one: all text that can be made before is made before. */
#include "sys/crash.h"

#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/log.h"

#define FRAMES      64
#define STACK_BYTES 65536 /* of the handler: the thread's own may be what ran out */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static const struct {
    int number;
    const char *name;
} watched[] = {{SIGSEGV, "SEGV"}, {SIGBUS, "BUS"}, {SIGFPE, "FPE"}, {SIGILL, "ILL"}, {SIGABRT, "ABRT"}};

static char report_folder[3584], about[512];
static time_t began;
static unsigned char handler_stack[STACK_BYTES];
static volatile sig_atomic_t reported;

static void put(int fd, const char *s)
{
    (void)!write(fd, s, strlen(s));
}

/* In base 10 or 16. */
static void put_number(int fd, unsigned long long v, unsigned base)
{
    char text[24], *p = text + sizeof(text) - 1;
    *p = '\0';
    do {
        *--p = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    put(fd, p);
}

static void append(char *to, size_t cap, const char *s)
{
    size_t n = strlen(to), k = strlen(s);
    if (n + k < cap) {
        memcpy(to + n, s, k + 1);
    }
}

static void append_number(char *to, size_t cap, unsigned long long v)
{
    char text[24], *p = text + sizeof(text) - 1;
    *p = '\0';
    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    append(to, cap, p);
}

static void write_report(int number, const siginfo_t *info)
{
    static char path[4096];
    time_t now = time(NULL);
    append(path, sizeof(path), report_folder);
    append(path, sizeof(path), "/crash-");
    append_number(path, sizeof(path), (unsigned long long)now);
    append(path, sizeof(path), "-");
    append_number(path, sizeof(path), (unsigned long long)getpid());
    append(path, sizeof(path), ".txt");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    put(fd, about);
    put(fd, "signal   ");
    for (size_t i = 0; i < SL_ARRAY_LEN(watched); i++) {
        if (watched[i].number == number) {
            put(fd, watched[i].name);
        }
    }
    if (info->si_code > 0) { /* the kernel's: the address is where it happened */
        put(fd, " at 0x");
        put_number(fd, (unsigned long long)(uintptr_t)info->si_addr, 16);
    } else {
        put(fd, " sent by pid ");
        put_number(fd, (unsigned long long)info->si_pid, 10);
    }
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    put(fd, "\nthread   ");
    put(fd, name);
    put(fd, "\ntime     ");
    put_number(fd, (unsigned long long)now, 10);
    put(fd, " (seconds since 1970), after ");
    put_number(fd, (unsigned long long)(now - began), 10);
    put(fd, " s\nbacktrace\n");
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES);
    backtrace_symbols_fd(frames, n, fd);
    put(fd, "end\n");
    fsync(fd);
    close(fd);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!reported) {
        reported = 1;
        write_report(number, info);
    }
    signal(number, SIG_DFL);
    raise(number); /* delivered when the handler returns */
}

static int is_report(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return strncmp(e->d_name, "crash-", 6) == 0 && n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0;
}

/* Tells what is new (mode 0600), makes it old (0400), and keeps the newest. */
static void look_at_reports(void)
{
    struct dirent **list = NULL;
    int n = scandir(report_folder, &list, is_report, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        int len = snprintf(path, sizeof(path), "%s/%s", report_folder, list[i]->d_name);
        if (len > 0 && len < (int)sizeof(path)) {
            if (i < n - SYS_CRASH_KEPT) {
                unlink(path);
            } else if (stat(path, &st) == 0 && (st.st_mode & 0200)) {
                sys_log(SYS_LOG_ERR, "owner", "crashed-before", "report=%s", path);
                chmod(path, 0400);
            }
        }
        free(list[i]);
    }
    free(list);
}

void sys_crash_watch(const char *folder, const char *build)
{
    if (strlen(folder) >= sizeof(report_folder)) {
        return;
    }
    snprintf(report_folder, sizeof(report_folder), "%s", folder);
    look_at_reports();
    if (SANITIZED) {
        return;
    }
    snprintf(about, sizeof(about), "Sluice " SLUICE_VERSION " has crashed.\nbuild    %.300s\npid      %d\n",
             build, (int)getpid());
    began = time(NULL);
    void *warm[1];
    backtrace(warm, 1); /* loads what it needs while loading is safe */
    sigaltstack(&(stack_t){.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)}, NULL);
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < SL_ARRAY_LEN(watched); i++) {
        sigaction(watched[i].number, &act, NULL);
    }
}
