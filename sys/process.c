/* SPDX-License-Identifier: Apache-2.0
 * Child processes by fork and exec. Between the two only async-signal-safe calls are made (we have threads),
 * so everything is prepared before; a pipe that closes on exec brings back why exec failed. */
#include "sys/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"

extern char **environ;

#define RUN_OUTPUT_BYTES ((size_t)1 << 20)
#define RUN_TICK_MS      50

struct child {
    const char *path;
    char *const *argv, *const *env;
    const char *cwd;
    int in, out, err;
    bool new_session, new_group, die_with_parent;
    int nice;
};

/* argv[0] as PATH finds it; NULL when it does not. */
static const char *find_program(struct sl_arena *a, const char *name)
{
    if (strchr(name, '/')) {
        return name;
    }
    const char *path = getenv("PATH");
    sl_str rest = sl_str_of(path ? path : "/usr/local/bin:/usr/bin:/bin");
    for (;;) {
        ptrdiff_t colon = sl_str_find_char(rest, ':');
        sl_str dir = colon < 0 ? rest : sl_str_sub(rest, 0, (size_t)colon);
        const char *full = sys_path_join(a, dir.n ? sl_arena_strdupz(a, dir) : ".", name);
        if (access(full, X_OK) == 0 && !sys_is_dir(full)) {
            return full;
        }
        if (colon < 0) {
            return NULL;
        }
        rest = sl_str_sub(rest, (size_t)colon + 1, rest.n - (size_t)colon - 1);
    }
}

static bool same_name(const char *a, const char *b)
{
    const char *eq = strchr(a, '=');
    size_t n = eq ? (size_t)(eq - a) + 1 : strlen(a) + 1;
    return strncmp(a, b, n) == 0;
}

static char *const *make_env(struct sl_arena *a, const char *const *extra)
{
    SL_VEC(char *) env = {0};
    for (char **e = environ; e && *e; e++) {
        bool replaced = false;
        for (const char *const *x = extra; x && *x && !replaced; x++) {
            replaced = same_name(*x, *e);
        }
        if (!replaced) {
            sl_vec_push(a, &env, *e);
        }
    }
    for (const char *const *x = extra; x && *x; x++) {
        sl_vec_push(a, &env, sl_arena_strdupz(a, sl_str_of(*x)));
    }
    sl_vec_push(a, &env, NULL);
    return env.v;
}

static char *const *make_argv(struct sl_arena *a, const char *const *argv)
{
    SL_VEC(char *) copy = {0};
    for (; *argv; argv++) {
        sl_vec_push(a, &copy, sl_arena_strdupz(a, sl_str_of(*argv)));
    }
    sl_vec_push(a, &copy, NULL);
    return copy.v;
}

/* In the child; never returns. */
SL_NORETURN static void become(const struct child *c, pid_t parent, int report)
{
    sigset_t none;
    sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++) {
        if (sig != SIGKILL && sig != SIGSTOP) {
            signal(sig, SIG_DFL);
        }
    }
    bool ok = sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    if (c->new_session) {
        ok = ok && setsid() >= 0;
    } else if (c->new_group) {
        ok = ok && setpgid(0, 0) == 0;
    }
    if (c->die_with_parent) {
        ok = ok && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
        if (getppid() != parent) {
            _exit(127);
        }
    }
    if (c->nice) {
        (void)setpriority(PRIO_PROCESS, 0,
                          getpriority(PRIO_PROCESS, 0) + c->nice); /* where it may not: as we are */
    }
    ok = ok && (!c->cwd || chdir(c->cwd) == 0);
    ok = ok && dup2(c->in, 0) >= 0 && dup2(c->out, 1) >= 0 && dup2(c->err, 2) >= 0;
    ok = ok && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
    if (ok) {
        execve(c->path, c->argv, c->env);
    }
    int why = errno;
    while (write(report, &why, sizeof(why)) < 0 && errno == EINTR) {
    }
    _exit(127);
}

static pid_t start(const struct child *c, struct sl_err *err)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        sl_fail_errno(err, SL_IO, errno, "cannot start %s", c->path);
        return -1;
    }
    /* The child must not run a handler of ours before it has reset them. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become(c, parent, report[1]);
    }
    int saved = errno, why = 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        sl_fail_errno(err, SL_IO, saved, "cannot start %s", c->path);
        return -1;
    }
    ssize_t n;
    while ((n = read(report[0], &why, sizeof(why))) < 0 && errno == EINTR) {
    }
    close(report[0]);
    if (n == (ssize_t)sizeof(why)) {
        waitpid(pid, NULL, 0);
        sl_fail_errno(err, why == ENOENT ? SL_FILE_NOT_FOUND : SL_IO, why, "cannot start %s", c->path);
        return -1;
    }
    return pid;
}

static void close_fds(const int *fd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fd[i] >= 0) {
            close(fd[i]);
        }
    }
}

static int open_output(const char *path, struct sl_err *err)
{
    int fd = open(path ? path : "/dev/null", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        sl_fail_errno(err, SL_IO, errno, "cannot write %s", path ? path : "/dev/null");
    }
    return fd;
}

static bool prepare(struct sl_arena *a, struct child *c, const char *const *argv, const char *const *env,
                    struct sl_err *err)
{
    c->path = find_program(a, argv[0]);
    if (!c->path) {
        return sl_fail(err, SL_FILE_NOT_FOUND, "the program %s is not installed", argv[0]);
    }
    c->argv = make_argv(a, argv);
    c->env = make_env(a, env);
    return true;
}

pid_t sys_spawn(const struct sys_spawn *s, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct child c = {
        .cwd = s->cwd, .new_session = s->new_session, .die_with_parent = s->die_with_parent, .nice = s->nice};
    if (!prepare(&a, &c, s->argv, s->env, err)) {
        return -1;
    }
    int fd[3] = {open("/dev/null", O_RDONLY | O_CLOEXEC), -1, -1};
    pid_t pid = -1;
    if (fd[0] < 0) {
        sl_fail_errno(err, SL_IO, errno, "cannot read /dev/null");
    } else if ((fd[1] = open_output(s->out, err)) >= 0 && (fd[2] = open_output(s->err, err)) >= 0) {
        c.in = fd[0];
        c.out = fd[1];
        c.err = fd[2];
        pid = start(&c, err);
    }
    close_fds(fd, 3);
    return pid;
}

/* Takes what the pipe holds now; false at its end. What passes the cap is read and dropped. */
static bool drain(int fd, struct sl_buf *b)
{
    char part[16384];
    for (;;) {
        ssize_t n = read(fd, part, sizeof(part));
        if (n > 0) {
            sl_buf_put(b, part, SL_MIN((size_t)n, RUN_OUTPUT_BYTES - b->n));
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            return false;
        } else if (errno == EAGAIN) {
            return true;
        }
    }
}

/* Reads both pipes until the program has ended; -1 = timeout. A grandchild that keeps a pipe open does not
 * hold us. */
static int collect(pid_t pid, int fd[2], struct sl_buf out[2], int64_t deadline)
{
    bool open[2] = {true, true};
    int status;
    for (;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        for (int i = 0; i < 2; i++) {
            open[i] = open[i] && drain(fd[i], &out[i]);
        }
        if (ended == pid) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        int64_t left = deadline - sys_now_ms();
        if (left <= 0) {
            return -1;
        }
        struct pollfd p[2] = {{open[0] ? fd[0] : -1, POLLIN, 0}, {open[1] ? fd[1] : -1, POLLIN, 0}};
        bool closed = !open[0] && !open[1];
        poll(p, 2, (int)SL_MIN(left, closed ? 2 : RUN_TICK_MS));
    }
}

int sys_run(struct sl_arena *a, const char *const *argv, int64_t timeout_ms, sl_str *ret_out, sl_str *ret_err,
            struct sl_err *err)
{
    struct child c = {.new_group = true, .die_with_parent = true};
    int fd[5] = {-1, -1, -1, -1, -1}, code = -1;
    if (!prepare(a, &c, argv, NULL, err)) {
        return -1;
    }
    fd[4] = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd[4] < 0 || pipe2(fd, O_CLOEXEC) != 0 || pipe2(fd + 2, O_CLOEXEC) != 0) {
        sl_fail_errno(err, SL_IO, errno, "cannot start %s", argv[0]);
        close_fds(fd, 5);
        return -1;
    }
    c.in = fd[4];
    c.out = fd[1];
    c.err = fd[3];
    pid_t pid = start(&c, err);
    close_fds(fd + 3, 2);
    close(fd[1]);
    if (pid > 0) {
        int reading[2] = {fd[0], fd[2]};
        SL_BUF_AUTO out = {.max = RUN_OUTPUT_BYTES};
        SL_BUF_AUTO errors = {.max = RUN_OUTPUT_BYTES};
        struct sl_buf both[2] = {out, errors};
        fcntl(fd[0], F_SETFL, O_NONBLOCK);
        fcntl(fd[2], F_SETFL, O_NONBLOCK);
        code = collect(pid, reading, both, sys_now_ms() + timeout_ms);
        out = both[0];
        errors = both[1];
        if (code < 0) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL); /* when it was not yet in its own group */
            waitpid(pid, NULL, 0);
            sl_fail(err, SL_TIMEOUT, "%s did not end within %lld ms", argv[0], (long long)timeout_ms);
        }
        if (ret_out) {
            *ret_out = sl_str_dup(a, sl_buf_str(&out));
        }
        if (ret_err) {
            *ret_err = sl_str_dup(a, sl_buf_str(&errors));
        }
    }
    close(fd[0]);
    close(fd[2]);
    return code;
}

/* Field 22 of /proc/PID/stat, counted behind the last ")" (the name may hold anything). A zombie is dead. */
uint64_t sys_process_start_time(pid_t pid)
{
    char path[64], stat[1024];
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, stat, sizeof(stat) - 1);
    close(fd);
    if (n <= 0) {
        return 0;
    }
    stat[n] = '\0';
    const char *p = strrchr(stat, ')');
    if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X') {
        return 0;
    }
    for (int field = 2; field < 22 && p; field++) {
        p = strchr(p + 1, ' ');
    }
    return p ? strtoull(p + 1, NULL, 10) : 0;
}

bool sys_process_alive(pid_t pid, uint64_t start_time)
{
    uint64_t now = sys_process_start_time(pid);
    return now != 0 && (start_time == 0 || now == start_time);
}

static bool gone_within(pid_t pid, uint64_t start_time, int64_t ms)
{
    int64_t deadline = sys_now_ms() + ms, nap = 1;
    while (sys_process_alive(pid, start_time)) {
        int64_t left = deadline - sys_now_ms();
        if (left <= 0) {
            return false;
        }
        sys_sleep_ms(SL_MIN(nap, left));
        nap = SL_MIN(nap * 2, (int64_t)20);
    }
    return true;
}

void sys_process_stop(pid_t pid, uint64_t start_time, int64_t grace_ms)
{
    if (sys_process_alive(pid, start_time) && kill(pid, SIGTERM) == 0 &&
        !gone_within(pid, start_time, grace_ms)) {
        /* Only a kernel that is stuck outlives KILL; then nobody can help. */
        if (kill(pid, SIGKILL) == 0) {
            gone_within(pid, start_time, 10000);
        }
    }
    waitpid(pid, NULL, WNOHANG);
}

int sys_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = -1;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &n) == 0) {
        port = ntohs(at.sin_port);
    }
    if (fd >= 0) {
        close(fd);
    }
    return port;
}
