/* SPDX-License-Identifier: Apache-2.0
 * Files and folders on POSIX calls. */
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/vec.h"

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}
#define FD_AUTO SL_CLEANUP(close_fd) int

static bool fail(struct sl_err *err, int saved, const char *verb, const char *path)
{
    if (saved == ENOSPC || saved == EDQUOT) {
        sl_fail(err, SL_DISK_FULL, "cannot %s %s: the disk is full", verb, path);
        return sl_hint(err, "free some space there and try again");
    }
    if (saved == ENOENT) {
        return sl_fail(err, SL_FILE_NOT_FOUND, "cannot %s %s: no such file or folder", verb, path);
    }
    return sl_fail_errno(err, SL_IO, saved, "cannot %s %s", verb, path);
}

bool sys_file_read(struct sl_arena *a, const char *path, size_t max, sl_str *ret, struct sl_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    FD_AUTO opened = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    int fd = standard ? STDIN_FILENO : opened;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        return fail(err, errno, "read", name);
    }
    if (S_ISDIR(st.st_mode)) {
        return sl_fail(err, SL_IO, "cannot read %s: it is a folder", name);
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, max == SIZE_MAX ? max : max + 1); /* one more byte tells a file that is too large */
    char part[65536];
    for (;;) {
        ssize_t n = read(fd, part, sizeof(part));
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return fail(err, errno, "read", name);
        }
        if (n == 0) {
            break;
        }
        sl_buf_put(&b, part, (size_t)n);
        if (b.full || b.n > max) {
            return sl_fail(err, SL_LIMIT, "%s is larger than %s", name, SL_SIZE(max));
        }
    }
    *ret = sl_str_dup(a, sl_buf_str(&b));
    return true;
}

static bool write_all(int fd, sl_str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        s = sl_str_sub(s, (size_t)n, s.n - (size_t)n);
    }
    return true;
}

/* Makes a rename or removal in the folder of `path` durable. */
static bool sync_folder_of(const char *path)
{
    SL_ARENA_AUTO a = {0};
    const char *slash = strrchr(path, '/');
    const char *dir = !slash          ? "."
                      : slash == path ? "/"
                                      : sl_arena_strdupz(&a, (sl_str){path, (size_t)(slash - path)});
    FD_AUTO fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL); /* EINVAL: a file system without it */
}

bool sys_file_write(const char *path, sl_str content, unsigned mode, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char unique[17];
    sl_random_hex(unique, 8);
    sl_str part = sl_arena_printf(&a, "%s.%s.part", path, unique);
    FD_AUTO fd = open(part.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail(err, errno, "write", path);
    }
    /* fchmod: the mode asked for, whatever the umask says */
    if (!write_all(fd, content) || fchmod(fd, mode) != 0 || fsync(fd) != 0 || rename(part.p, path) != 0) {
        int saved = errno;
        unlink(part.p);
        return fail(err, saved, "write", path);
    }
    if (!sync_folder_of(path)) {
        return fail(err, errno, "sync the folder of", path);
    }
    return true;
}

bool sys_mkdirs(const char *path, unsigned mode, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char *p = sl_arena_strdupz(&a, sl_str_of(path));
    for (char *at = p + 1; *p; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char c = *at;
        *at = '\0';
        int saved = mkdir(p, mode) == 0 ? 0 : errno;
        if (saved && !sys_is_dir(p)) {
            return fail(err, saved == EEXIST ? ENOTDIR : saved, "make the folder", p);
        }
        if (c == '\0') {
            return true;
        }
        *at = c;
    }
    return sl_fail(err, SL_IO, "cannot make a folder without a name");
}

/* Empties the open folder (takes fd). */
static bool empty_dir(int fd)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return false;
    }
    bool ok = true;
    for (struct dirent *e; ok && (errno = 0, e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT) {
            continue;
        }
        int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        ok = sub >= 0 && empty_dir(sub) &&
             (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT);
    }
    int saved = errno;
    closedir(d);
    errno = saved;
    return ok && saved == 0;
}

bool sys_rmtree(const char *path, struct sl_err *err)
{
    if (unlink(path) == 0 || errno == ENOENT) {
        return true;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || !empty_dir(fd) || (rmdir(path) != 0 && errno != ENOENT)) {
        return fail(err, errno, "remove", path);
    }
    return true;
}

bool sys_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool sys_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t sys_file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* Bytes below the open folder (takes fd). */
static int64_t dir_bytes(int fd)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return 0;
    }
    int64_t sum = 0;
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (S_ISREG(st.st_mode)) {
            sum += (int64_t)st.st_size;
        } else if (S_ISDIR(st.st_mode)) {
            int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            sum += sub >= 0 ? dir_bytes(sub) : 0;
        }
    }
    closedir(d);
    return sum;
}

int64_t sys_tree_bytes(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? dir_bytes(fd) : SL_MAX(sys_file_size(path), 0);
}

static int name_order(const void *a, const void *b)
{
    return sl_str_cmp(*(const sl_str *)a, *(const sl_str *)b);
}

bool sys_dir_list(struct sl_arena *a, const char *path, sl_str **ret, size_t *ret_n, struct sl_err *err)
{
    DIR *d = opendir(path);
    if (!d) {
        return fail(err, errno, "list", path);
    }
    SL_VEC(sl_str) names = {0};
    for (struct dirent *e; (errno = 0, e = readdir(d));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            sl_vec_push(a, &names, sl_str_dup(a, sl_str_of(e->d_name)));
        }
    }
    int saved = errno;
    closedir(d);
    if (saved != 0) {
        return fail(err, saved, "list", path);
    }
    if (names.n > 1) {
        qsort(names.v, names.n, sizeof(*names.v), name_order);
    }
    *ret = names.v;
    *ret_n = names.n;
    return true;
}

char *sys_path_join(struct sl_arena *a, const char *dir, const char *name)
{
    sl_str d = sl_str_of(dir);
    while (d.n > 0 && d.p[d.n - 1] == '/') {
        d.n--;
    }
    while (*name == '/') {
        name++;
    }
    if (dir[0] == '\0') {
        return sl_arena_strdupz(a, sl_str_of(name));
    }
    return sl_arena_strdupz(a, sl_arena_printf(a, "%.*s/%s", SL_S(d), name));
}

char *sys_path_abs(struct sl_arena *a, const char *path)
{
    sl_str full = sl_str_of(path);
    if (path[0] != '/') {
        char *cwd = getcwd(NULL, 0);
        full = sl_arena_printf(a, "%s/%s", cwd ? cwd : "", path);
        free(cwd);
    }
    char *out = sl_arena_alloc(a, full.n + 2);
    size_t n = 0;
    for (size_t i = 0; i < full.n;) {
        size_t from = i;
        while (i < full.n && full.p[i] != '/') {
            i++;
        }
        sl_str part = sl_str_sub(full, from, i - from);
        i++;
        if (part.n == 0 || sl_str_eqz(part, ".")) {
            continue;
        }
        if (sl_str_eqz(part, "..")) {
            while (n > 0 && out[--n] != '/') {
            }
            continue;
        }
        out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    if (n == 0) {
        out[n++] = '/';
    }
    out[n] = '\0';
    return out;
}

int sys_lock(const char *path, bool *ret_held, struct sl_err *err)
{
    *ret_held = false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(err, errno, "open the lock file", path);
        return -1;
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        return fd;
    }
    int saved = errno;
    close(fd);
    if (saved == EAGAIN || saved == EACCES) {
        *ret_held = true;
        sl_fail(err, SL_BUSY, "%s is locked by another process", path);
    } else {
        fail(err, saved, "lock", path);
    }
    return -1;
}

bool sys_lock_is_held(const char *path)
{
    FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

static const char *home(void)
{
    const char *h = getenv("HOME");
    if (h && h[0]) {
        return h;
    }
    const struct passwd *pw = getpwuid(getuid());
    return pw && pw->pw_dir ? pw->pw_dir : "/";
}

/* $XDG_<kind>_HOME/sluice; a relative value is ignored, as the XDG specification says. */
static char *xdg_dir(struct sl_arena *a, const char *variable, const char *below_home)
{
    const char *base = getenv(variable);
    if (!base || base[0] != '/') {
        base = sys_path_join(a, home(), below_home);
    }
    return sys_path_join(a, base, "sluice");
}

char *sys_data_dir_default(struct sl_arena *a)
{
    return sys_path_join(a, xdg_dir(a, "XDG_DATA_HOME", ".local/share"), "data");
}

char *sys_flink_dir(struct sl_arena *a)
{
    const char *given = getenv("SLUICE_FLINK_DIR");
    return given && given[0] ? sys_path_abs(a, given)
                             : sys_path_join(a, xdg_dir(a, "XDG_DATA_HOME", ".local/share"), "flink");
}

char *sys_config_dir(struct sl_arena *a)
{
    return xdg_dir(a, "XDG_CONFIG_HOME", ".config");
}

char *sys_self_path(struct sl_arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    SL_BUG_ON(n < 0 || (size_t)n == sizeof(path));
    return sl_arena_strdupz(a, (sl_str){path, (size_t)n});
}
