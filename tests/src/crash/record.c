/*
 * Preloaded into a kiosk under test: writes down, in order and with all bytes, what the
 * process does to the files of one folder, and what it says on its standard output.
 * Changes nothing of what it passes on, but for one fault when it is asked to play one; ends
 * the process with SIGKILL after a record of which it is told the number. Never part of what
 * people install.
 *
 * A record is `kind u8, pid u32, fd i32, number i64, length u32`, in this machine's byte
 * order and packed, then `length` bytes. The kinds stand in trace.rs.
 *
 * Not seen: writing through a mapping. SQLite maps only the -shm file, which a power cut
 * loses and the next opening makes again; it and the lock file are left out here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, SAID, CLOSE, SYNC_FAILED };
enum { CREATED = 1, EMPTIED = 2 };
enum { FDS = 4096 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
/* A fault to play, counted over the folder's files: the nth write or sync answers EIO, once;
   or the disk is full from the nth write on. */
static enum { NONE, WRITE_FAILS, SYNC_FAILS, FULL } fault = NONE;
static long fault_at, writes, syncs;
/* Ends the process once so many records are written; 0: never. */
static long kill_at, noted;
static char root[4096];
static size_t root_length;
/* Of each descriptor: does it belong to the folder? */
static unsigned char ours[FDS];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void note(uint8_t kind, int fd, int64_t number, const void *bytes, uint32_t length) {
    struct __attribute__((packed)) {
        uint8_t kind;
        uint32_t pid;
        int32_t fd;
        int64_t number;
        uint32_t length;
    } head = { kind, (uint32_t)getpid(), fd, number, length };
    struct iovec parts[2] = { { &head, sizeof head }, { (void *)bytes, length } };
    int before = errno;
    /* Straight to the kernel: the calls below are the ones being watched. A trace with a
       hole would prove nothing, so a record that cannot be written ends the process. */
    if (syscall(SYS_writev, trace, parts, 2) != (long)(sizeof head + length))
        _exit(70);
    if (++noted == kill_at)
        kill(getpid(), SIGKILL);
    errno = before;
}

/* The name inside the folder ("" for the folder itself), or NULL. */
static const char *inside(const char *path) {
    if (trace < 0 || path == NULL || strncmp(path, root, root_length) != 0)
        return NULL;
    if (path[root_length] == 0)
        return "";
    if (path[root_length] != '/')
        return NULL;
    const char *name = path + root_length + 1;
    size_t length = strlen(name);
    if (length >= 4 && strcmp(name + length - 4, "-shm") == 0)
        return NULL;
    if (length >= 5 && strcmp(name + length - 5, ".lock") == 0)
        return NULL;
    return name;
}

static int watched(int fd) { return trace >= 0 && fd >= 0 && fd < FDS && ours[fd]; }

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("JALON_TRACE_ROOT"), *file = getenv("JALON_TRACE");
    if (folder == NULL || file == NULL || strlen(folder) >= sizeof root)
        return;
    const char *kill = getenv("JALON_KILL_AT");
    kill_at = kill == NULL ? 0 : atol(kill);
    strcpy(root, folder);
    root_length = strlen(root);
    trace = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0)
        _exit(70);
    const char *wanted = getenv("JALON_FAULT"), *at = getenv("JALON_FAULT_AT");
    if (wanted != NULL && at != NULL) {
        fault = !strcmp(wanted, "write") ? WRITE_FAILS : !strcmp(wanted, "sync") ? SYNC_FAILS : FULL;
        fault_at = strtol(at, NULL, 10);
    }
}

/* Called under the lock: does this write fail? */
static int fails(void) {
    writes++;
    if (fault == WRITE_FAILS && writes == fault_at) {
        errno = EIO;
        return 1;
    }
    if (fault == FULL && writes >= fault_at) {
        errno = ENOSPC;
        return 1;
    }
    return 0;
}

static int opened(int (*call)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    const char *name = inside(path);
    if (name == NULL)
        return call(path, flags, mode);
    pthread_mutex_lock(&turn);
    struct stat found;
    int there = stat(path, &found) == 0;
    int fd = call(path, flags, mode);
    if (fd >= 0 && fd < FDS) {
        ours[fd] = 1;
        int64_t number = (there ? 0 : CREATED) | (there && (flags & O_TRUNC) ? EMPTIED : 0);
        note(OPEN, fd, number, name, (uint32_t)strlen(name));
    }
    pthread_mutex_unlock(&turn);
    return fd;
}

#define MODE(flags, mode)                  \
    mode_t mode = 0;                       \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list more;                      \
        va_start(more, flags);             \
        mode = va_arg(more, mode_t);       \
        va_end(more);                      \
    }

int open(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(REAL(open), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return opened(REAL(open64), path, flags, mode);
}

/* Files of the folder are opened by their whole path; anything else passes through. */
int openat(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    if (inside(path) != NULL)
        return opened(REAL(open), path, flags, mode);
    return REAL(openat)(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    if (inside(path) != NULL)
        return opened(REAL(open64), path, flags, mode);
    return REAL(openat64)(at, path, flags, mode);
}

int close(int fd) {
    if (!watched(fd))
        return REAL(close)(fd);
    pthread_mutex_lock(&turn);
    ours[fd] = 0;
    note(CLOSE, fd, 0, "", 0);
    int done = REAL(close)(fd);
    pthread_mutex_unlock(&turn);
    return done;
}

static ssize_t written(ssize_t done, int fd, off_t at, const void *bytes) {
    if (done > 0)
        note(WRITE, fd, at, bytes, (uint32_t)done);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (trace >= 0 && fd == STDOUT_FILENO) {
        pthread_mutex_lock(&turn);
        ssize_t done = REAL(write)(fd, bytes, length);
        if (done > 0)
            note(SAID, fd, 0, bytes, (uint32_t)done);
        pthread_mutex_unlock(&turn);
        return done;
    }
    if (!watched(fd))
        return REAL(write)(fd, bytes, length);
    pthread_mutex_lock(&turn);
    off_t at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    ssize_t done = fails() ? -1 : written(REAL(write)(fd, bytes, length), fd, at, bytes);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    if (!watched(fd))
        return REAL(pwrite)(fd, bytes, length, at);
    pthread_mutex_lock(&turn);
    ssize_t done = fails() ? -1 : written(REAL(pwrite)(fd, bytes, length, at), fd, at, bytes);
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    if (!watched(fd))
        return REAL(pwrite64)(fd, bytes, length, at);
    pthread_mutex_lock(&turn);
    ssize_t done = fails() ? -1 : written(REAL(pwrite64)(fd, bytes, length, at), fd, at, bytes);
    pthread_mutex_unlock(&turn);
    return done;
}

/* A call of these kinds on a watched file would leave a hole in the trace. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (watched(fd) || (trace >= 0 && fd == STDOUT_FILENO))
        _exit(71);
    return REAL(writev)(fd, parts, count);
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    if (watched(fd))
        _exit(71);
    return REAL(fallocate)(fd, mode, at, length);
}

static int shortened(int done, int fd, off_t length) {
    if (done == 0)
        note(TRUNCATE, fd, length, "", 0);
    return done;
}

int ftruncate(int fd, off_t length) {
    if (!watched(fd))
        return REAL(ftruncate)(fd, length);
    pthread_mutex_lock(&turn);
    int done = shortened(REAL(ftruncate)(fd, length), fd, length);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate64(int fd, off64_t length) {
    if (!watched(fd))
        return REAL(ftruncate64)(fd, length);
    pthread_mutex_lock(&turn);
    int done = shortened(REAL(ftruncate64)(fd, length), fd, length);
    pthread_mutex_unlock(&turn);
    return done;
}

static int synced(int (*call)(int), int fd) {
    if (!watched(fd))
        return call(fd);
    pthread_mutex_lock(&turn);
    syncs++;
    if (fault == SYNC_FAILS && syncs == fault_at) {
        /* As Linux does: what was to be synced is then taken for clean, and a later sync says
           yes without writing it. */
        note(SYNC_FAILED, fd, 0, "", 0);
        pthread_mutex_unlock(&turn);
        errno = EIO;
        return -1;
    }
    int done = call(fd);
    if (done == 0)
        note(SYNC, fd, 0, "", 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int fsync(int fd) { return synced(REAL(fsync), fd); }

int fdatasync(int fd) { return synced(REAL(fdatasync), fd); }

int unlink(const char *path) {
    const char *name = inside(path);
    if (name == NULL)
        return REAL(unlink)(path);
    pthread_mutex_lock(&turn);
    int done = REAL(unlink)(path);
    if (done == 0)
        note(UNLINK, -1, 0, name, (uint32_t)strlen(name));
    pthread_mutex_unlock(&turn);
    return done;
}

int unlinkat(int at, const char *path, int flags) {
    return inside(path) != NULL ? unlink(path) : REAL(unlinkat)(at, path, flags);
}

int rename(const char *from, const char *to) {
    const char *old = inside(from), *new = inside(to);
    if (old == NULL && new == NULL)
        return REAL(rename)(from, to);
    if (old == NULL || new == NULL)
        _exit(71);
    pthread_mutex_lock(&turn);
    int done = REAL(rename)(from, to);
    if (done == 0) {
        char both[8192];
        int length = snprintf(both, sizeof both, "%s%c%s", old, 0, new);
        note(RENAME, -1, 0, both, (uint32_t)length);
    }
    pthread_mutex_unlock(&turn);
    return done;
}
