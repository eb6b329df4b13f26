/* SPDX-License-Identifier: Apache-2.0
 * Loaded with LD_PRELOAD: lets the n-th call of one kind fail, as the system lets it fail when memory or a
 * disk has run out. What to do is in the environment:
 *   FAULT_OP     malloc, write, sync, make (a file or folder), rename or send (to a TCP peer, as curl does)
 *   FAULT_N      which call fails, from 1; 0: none, they are only counted
 *   FAULT_ERRNO  what the call says, a number
 *   FAULT_KILL   before or after: instead of failing, the process is killed before the call or (sync, send)
 *                when it is done
 *   FAULT_ARM    a file: calls are counted from the moment it is there
 *   FAULT_FROM   1: every later call fails too, as on a full disk
 *   FAULT_PATH   files below this folder only; without it: every file, but no terminal, pipe or socket
 *   FAULT_COUNT  a file: how many calls there were is written there when the process ends
 * A write that fails with ENOSPC first takes half of what it was given, as a disk does whose last block is
 * used up. Only the process itself is meant, not what it starts: the variables are removed. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum op { OP_NONE, OP_MALLOC, OP_WRITE, OP_SYNC, OP_MAKE, OP_RENAME, OP_SEND };
enum { KILL_NEVER, KILL_BEFORE, KILL_AFTER };

static enum op op;
static long fail_n;
static int fail_errno;
static bool fail_from;
static int kill_when;
static atomic_bool armed;
static char fail_path[PATH_MAX], count_path[PATH_MAX], arm_path[PATH_MAX];
static atomic_long calls;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static void take(const char *name, char *to)
{
    const char *v = getenv(name);
    if (v && strlen(v) < PATH_MAX) {
        memcpy(to, v, strlen(v) + 1);
    }
    unsetenv(name);
}

__attribute__((constructor)) static void begin(void)
{
    static const struct {
        const char *name;
        enum op op;
    } ops[] = {{"malloc", OP_MALLOC}, {"write", OP_WRITE},   {"sync", OP_SYNC},
               {"make", OP_MAKE},     {"rename", OP_RENAME}, {"send", OP_SEND}};
    char word[PATH_MAX] = "";
    enum op wanted = OP_NONE;
    take("FAULT_OP", word);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        wanted = strcmp(word, ops[i].name) == 0 ? ops[i].op : wanted;
    }
    word[0] = '\0';
    take("FAULT_N", word);
    fail_n = strtol(word, NULL, 10);
    word[0] = '\0';
    take("FAULT_ERRNO", word);
    fail_errno = word[0] ? (int)strtol(word, NULL, 10) : ENOMEM;
    word[0] = '\0';
    take("FAULT_FROM", word);
    fail_from = word[0] == '1';
    word[0] = '\0';
    take("FAULT_KILL", word);
    kill_when = strcmp(word, "before") == 0  ? KILL_BEFORE
                : strcmp(word, "after") == 0 ? KILL_AFTER
                                             : KILL_NEVER;
    take("FAULT_ARM", arm_path);
    take("FAULT_PATH", fail_path);
    take("FAULT_COUNT", count_path);
    unsetenv("LD_PRELOAD");
    op = wanted;
}

/* At the end of a process, in whatever way it calls it. */
static void tell(void)
{
    char text[32];
    if (op == OP_NONE || !count_path[0]) {
        return;
    }
    int n = snprintf(text, sizeof(text), "%ld\n", atomic_load(&calls));
    int fd = (int)syscall(SYS_openat, AT_FDCWD, count_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)!syscall(SYS_write, fd, text, (size_t)n);
        (void)syscall(SYS_close, fd);
    }
}

__attribute__((destructor)) static void end(void)
{
    tell();
}

void _Exit(int status)
{
    _exit(status);
}

void _exit(int status)
{
    tell();
    (void)syscall(SYS_exit_group, status);
    __builtin_unreachable();
}

static void die(void)
{
    (void)syscall(SYS_kill, (int)syscall(SYS_getpid), SIGKILL);
    for (;;) {
        (void)syscall(SYS_sched_yield);
    }
}

static bool is_armed(void)
{
    if (arm_path[0] && !atomic_load(&armed)) {
        atomic_store(&armed, syscall(SYS_faccessat, AT_FDCWD, arm_path, F_OK) == 0);
        return atomic_load(&armed);
    }
    return true;
}

/* Counts a call; true: it is to fail (or, KILL_AFTER, the process ends when it is done). */
static bool strikes(enum op kind)
{
    if (op != kind || !is_armed()) {
        return false;
    }
    long n = atomic_fetch_add(&calls, 1) + 1;
    bool it = fail_n > 0 && (n == fail_n || (fail_from && n > fail_n));
    if (it && kill_when == KILL_BEFORE) {
        die();
    }
    return it;
}

static bool below(const char *path)
{
    size_t n = strlen(fail_path);
    return n == 0 || (strncmp(path, fail_path, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/* Is it a file (or folder) that is meant? */
static bool meant(int fd)
{
    char link[40], path[PATH_MAX];
    struct stat st;
    if (fd <= 2 || fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        return false;
    }
    if (!fail_path[0]) {
        return true;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return below(path);
}

static bool path_is_meant(const char *path)
{
    char full[PATH_MAX];
    if (path[0] == '/' || !fail_path[0]) {
        return below(path);
    }
    char *cwd = getcwd(full, sizeof(full));
    return cwd && below(cwd);
}

/* --- memory */

void *malloc(size_t n)
{
    if (strikes(OP_MALLOC)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    if (strikes(OP_MALLOC)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    if (strikes(OP_MALLOC)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(p, n);
}

int posix_memalign(void **ret, size_t align, size_t n)
{
    if (strikes(OP_MALLOC)) {
        return ENOMEM;
    }
    *ret = __libc_memalign(align, n);
    return *ret ? 0 : ENOMEM;
}

/* --- writes */

static ssize_t half(int fd, const void *p, size_t n, off_t at)
{
    if (fail_errno == ENOSPC && n > 1 && !fail_from) {
        return at < 0 ? syscall(SYS_write, fd, p, n / 2) : syscall(SYS_pwrite64, fd, p, n / 2, at);
    }
    errno = fail_errno;
    return -1;
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (op == OP_WRITE && meant(fd) && strikes(OP_WRITE)) {
        return half(fd, p, n, -1);
    }
    return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (op == OP_WRITE && meant(fd) && strikes(OP_WRITE)) {
        return half(fd, p, n, at);
    }
    return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    if (op == OP_WRITE && meant(fd) && strikes(OP_WRITE)) {
        errno = fail_errno;
        return -1;
    }
    return syscall(SYS_writev, fd, v, n);
}

static int resize(int fd, off_t size)
{
    if (op == OP_WRITE && meant(fd) && strikes(OP_WRITE)) {
        errno = fail_errno;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
    return resize(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return resize(fd, size);
}

static int allocate(int fd, off_t at, off_t n)
{
    if (op == OP_WRITE && meant(fd) && strikes(OP_WRITE)) {
        return fail_errno;
    }
    return syscall(SYS_fallocate, fd, 0, at, n) == 0 ? 0 : errno;
}

int posix_fallocate(int fd, off_t at, off_t n)
{
    return allocate(fd, at, n);
}

int posix_fallocate64(int fd, off_t at, off_t n)
{
    return allocate(fd, at, n);
}

static ssize_t copy(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
    if (op == OP_WRITE && meant(out) && strikes(OP_WRITE)) {
        errno = fail_errno;
        return -1;
    }
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
}

ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
    return copy(in, in_at, out, out_at, n, flags);
}

/* --- durability */

static int sync_fd(int fd, long number)
{
    if (op == OP_SYNC && meant(fd) && strikes(OP_SYNC)) {
        if (kill_when == KILL_AFTER) {
            (void)syscall(number, fd);
            die();
        }
        errno = fail_errno;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fsync(int fd)
{
    return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_fd(fd, SYS_fdatasync);
}

/* --- a TCP peer */

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    bool tcp = op == OP_SEND && getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
               (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
    bool it = tcp && strikes(OP_SEND);
    if (it && kill_when == KILL_NEVER) {
        errno = fail_errno;
        return -1;
    }
    ssize_t sent = syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
    if (it) {
        die();
    }
    return sent;
}

/* --- names */

static bool make_strikes(int dir, const char *path, int flags)
{
    bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    if (op != OP_MAKE || !makes) {
        return false;
    }
    bool mine = path[0] == '/' || dir == AT_FDCWD ? path_is_meant(path) : meant(dir);
    if (mine && strikes(OP_MAKE)) {
        errno = fail_errno;
        return true;
    }
    return false;
}

static int open_it(int dir, const char *path, int flags, mode_t mode)
{
    return make_strikes(dir, path, flags) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags)                                                                                       \
    __extension__({                                                                                          \
        mode_t mode_ = 0;                                                                                    \
        if (((flags)&O_CREAT) || ((flags)&O_TMPFILE) == O_TMPFILE) {                                         \
            va_list ap_;                                                                                     \
            va_start(ap_, flags);                                                                            \
            mode_ = va_arg(ap_, mode_t);                                                                     \
            va_end(ap_);                                                                                     \
        }                                                                                                    \
        mode_;                                                                                               \
    })

int open(const char *path, int flags, ...)
{
    return open_it(AT_FDCWD, path, flags, MODE_OF(flags));
}

int open64(const char *path, int flags, ...)
{
    return open_it(AT_FDCWD, path, flags, MODE_OF(flags));
}

int openat(int dir, const char *path, int flags, ...)
{
    return open_it(dir, path, flags, MODE_OF(flags));
}

int openat64(int dir, const char *path, int flags, ...)
{
    return open_it(dir, path, flags, MODE_OF(flags));
}

int mkdir(const char *path, mode_t mode)
{
    return make_strikes(AT_FDCWD, path, O_CREAT) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    return make_strikes(dir, path, O_CREAT) ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}

static bool rename_strikes(const char *to)
{
    if (op == OP_RENAME && path_is_meant(to) && strikes(OP_RENAME)) {
        errno = fail_errno;
        return true;
    }
    return false;
}

int rename(const char *from, const char *to)
{
    return rename_strikes(to) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return rename_strikes(to) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
