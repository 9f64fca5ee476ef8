/* Lets the n-th write below a folder fail, and all after it: preloaded into a process that calls `arm`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static int number, armed;
static long left, seen;

void arm(const char *below, long n, int error) {
    strncpy(folder, below, sizeof folder - 1);
    left = n, number = error, seen = 0, armed = 1;
}

long disarm(void) {
    armed = 0;
    return seen;
}

static int fails(const char *path) {
    if (!armed || strncmp(path, folder, strlen(folder))) return 0;
    __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) > 0) return 0;
    errno = number;
    return 1;
}

static int fails_at(int file) {
    char name[64], path[PATH_MAX];
    if (!armed) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...) {                     \
        va_list more;                                                \
        va_start(more, flags);                                       \
        mode_t mode = va_arg(more, mode_t);                          \
        va_end(more);                                                \
        if (flags & (O_WRONLY | O_RDWR | O_CREAT) && fails(path)) return -1; \
        return REAL(name)(path, flags, mode);                        \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int file, const void *data, size_t size) {
    return fails_at(file) ? -1 : REAL(write)(file, data, size);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t place) {
    return fails_at(file) ? -1 : REAL(pwrite64)(file, data, size, place);
}
ssize_t writev(int file, const struct iovec *data, int count) {
    return fails_at(file) ? -1 : REAL(writev)(file, data, count);
}
int fsync(int file) { return fails_at(file) ? -1 : REAL(fsync)(file); }
int rename(const char *from, const char *to) { return fails(to) ? -1 : REAL(rename)(from, to); }
int link(const char *from, const char *to) { return fails(to) ? -1 : REAL(link)(from, to); }
int mkdir(const char *path, mode_t mode) { return fails(path) ? -1 : REAL(mkdir)(path, mode); }
