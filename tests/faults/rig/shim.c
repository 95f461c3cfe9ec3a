/*
 * Intercepts the file operations of the server (LD_PRELOAD) on the files of one folder.
 *
 * It records every write and every sync in order, so that a test can compute what the disk would
 * hold after a power cut at any moment of the recording. On request it makes the disk slow, failing
 * or full; test and shim share a page of memory for this.
 *
 * Every operation still reaches the real files: only the recording knows what was not synced.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, SYNC, SYNC_FAILED, CREATE, UNLINK };

/* Each word is 64 bits wide; rig/shim.rs reads and writes them by index. */
struct control {
    _Atomic uint64_t sync_delay_ms;  /* delay of every sync of FILE */
    _Atomic uint64_t sync_errno;     /* error of the next sync of FILE, once */
    _Atomic uint64_t sync_file;      /* 0 any file, 1 the database's WAL, 2 the database */
    _Atomic uint64_t syncs_begun;    /* counted here */
    _Atomic uint64_t is_limited;     /* 1: files grow by no more than ROOM */
    _Atomic int64_t room;            /* bytes left */
    _Atomic uint64_t refused;        /* writes refused for lack of room, counted here */
    _Atomic uint64_t limited_file;   /* 0 any file, 1 a WAL index */
};

/* A record is this header, then the file name, then the bytes of a write. */
struct head {
    uint32_t kind;
    uint32_t name_length;
    uint64_t number;
    uint64_t offset; /* of a write; the length after a truncation; the first record a sync does not cover */
    uint64_t length; /* of the bytes of a write */
};

#define FILES 65536

static const char *folder;
static size_t folder_length;
static const char *database = "inbox.db";
static int journal = -1;
static struct control *control;
static char *names[FILES];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static uint64_t next_number;

static int has_suffix(const char *text, const char *suffix) {
    size_t length = strlen(text), end = strlen(suffix);
    return length >= end && memcmp(text + length - end, suffix, end) == 0;
}

/* The name within the folder, "." for the folder itself, NULL for anything outside it. */
static const char *within(const char *path) {
    if (!folder || strncmp(path, folder, folder_length) != 0) return NULL;
    const char *rest = path + folder_length;
    if (*rest == '\0') return ".";
    return *rest == '/' ? rest + 1 : NULL;
}

/* SQLite's shared memory and the lock file are recreated at every start. */
static int is_recorded(const char *name) {
    return journal >= 0 && !has_suffix(name, "-shm") && !has_suffix(name, ".lock");
}

static const char *name_of(int fd) { return fd >= 0 && fd < FILES ? names[fd] : NULL; }

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_FOLDER");
    if (!path) return;
    folder = strdup(path);
    folder_length = strlen(folder);
    if ((path = getenv("FAULTS_JOURNAL")))
        journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if ((path = getenv("FAULTS_CONTROL"))) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
        void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd < 0 || page == MAP_FAILED) abort();
        control = page;
        syscall(SYS_close, fd);
    }
}

/* The caller must hold the turn. */
static void record(enum kind kind, const char *name, uint64_t offset, const void *bytes, uint64_t length) {
    if (!is_recorded(name)) return;
    struct head head = {kind, (uint32_t)strlen(name), next_number++, offset, length};
    struct iovec parts[] = {
        {&head, sizeof head}, {(void *)name, head.name_length}, {(void *)bytes, length}};
    size_t whole = sizeof head + head.name_length + length;
    /* A recording with a gap would make the test wrong. */
    if (syscall(SYS_writev, journal, parts, 3) != (long)whole) abort();
}

static int opened(int dir, const char *path, int flags, mode_t mode) {
    const char *name = dir == AT_FDCWD || path[0] == '/' ? within(path) : NULL;
    if (!name) return (int)syscall(SYS_openat, dir, path, flags, mode);
    pthread_mutex_lock(&turn);
    struct stat before;
    int is_new = (flags & O_CREAT) && stat(path, &before) != 0;
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    int failure = errno;
    if (fd >= 0 && fd < FILES) {
        names[fd] = strdup(name);
        if (is_new) record(CREATE, name, 0, NULL, 0);
        else if (flags & O_TRUNC) record(TRUNCATE, name, 0, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    errno = failure;
    return fd;
}

#define MODE(flags)                                       \
    mode_t mode = 0;                                      \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                \
        va_list more;                                     \
        va_start(more, flags);                            \
        mode = (mode_t)va_arg(more, int);                 \
        va_end(more);                                     \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }

int close(int fd) {
    if (name_of(fd)) {
        pthread_mutex_lock(&turn);
        free(names[fd]);
        names[fd] = NULL;
        pthread_mutex_unlock(&turn);
    }
    return (int)syscall(SYS_close, fd);
}

/* The part of a write that fits; growth of the file is deducted from the room. */
static size_t granted(int fd, uint64_t offset, size_t length) {
    if (!control || !control->is_limited) return length;
    if (control->limited_file == 1 && !has_suffix(names[fd], "-shm")) return length;
    struct stat now;
    fstat(fd, &now);
    uint64_t end = offset + length, size = (uint64_t)now.st_size;
    int64_t growth = end > size ? (int64_t)(end - size) : 0;
    int64_t room = control->room;
    if (growth > room) {
        control->refused++;
        /* Like a file system: write the part that fits, and refuse the next write. */
        uint64_t missing = (uint64_t)(growth - (room > 0 ? room : 0));
        if (missing >= length) return 0;
        length -= missing;
        growth = room;
    }
    control->room -= growth;
    return length;
}

static ssize_t written(int fd, const void *bytes, size_t length, uint64_t offset, int is_placed) {
    pthread_mutex_lock(&turn);
    ssize_t done = -1;
    int failure = ENOSPC;
    if (!is_placed) offset = (uint64_t)lseek(fd, 0, SEEK_CUR);
    size_t taken = granted(fd, offset, length);
    if (taken > 0 || length == 0) {
        record(WRITE, names[fd], offset, bytes, taken);
        done = is_placed ? syscall(SYS_pwrite64, fd, bytes, taken, offset)
                         : syscall(SYS_write, fd, bytes, taken);
        failure = errno;
        /* The recording states that the whole write was done. */
        if (done >= 0 && (size_t)done != taken) abort();
    }
    pthread_mutex_unlock(&turn);
    errno = failure;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!name_of(fd)) return syscall(SYS_write, fd, bytes, length);
    return written(fd, bytes, length, 0, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    if (!name_of(fd)) return syscall(SYS_pwrite64, fd, bytes, length, offset);
    return written(fd, bytes, length, (uint64_t)offset, 1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return pwrite(fd, bytes, length, offset);
}

int ftruncate(int fd, off_t length) {
    if (!name_of(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&turn);
    struct stat before;
    fstat(fd, &before);
    if (control && control->is_limited && length < before.st_size)
        control->room += before.st_size - length;
    record(TRUNCATE, names[fd], (uint64_t)length, NULL, 0);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    int failure = errno;
    pthread_mutex_unlock(&turn);
    errno = failure;
    return done;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int unlink(const char *path) {
    const char *name = within(path);
    if (!name) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&turn);
    struct stat before;
    if (stat(path, &before) == 0) {
        if (control && control->is_limited) control->room += before.st_size;
        record(UNLINK, name, 0, NULL, 0);
    }
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int failure = errno;
    pthread_mutex_unlock(&turn);
    errno = failure;
    return done;
}

static int is_meant(const char *name) {
    size_t length = strlen(database);
    const char *rest = strncmp(name, database, length) == 0 ? name + length : NULL;
    switch (control->sync_file) {
    case 1: return rest && strcmp(rest, "-wal") == 0;
    case 2: return rest && *rest == '\0';
    default: return 1;
    }
}

static int synced(int fd, long call) {
    const char *name = name_of(fd);
    if (!name) return (int)syscall(call, fd);
    pthread_mutex_lock(&turn);
    /* A write during the sync may not be covered. */
    uint64_t covered = next_number;
    pthread_mutex_unlock(&turn);
    int failure = 0;
    if (control && is_meant(name)) {
        control->syncs_begun++;
        uint64_t delay = control->sync_delay_ms;
        struct timespec rest = {(time_t)(delay / 1000), (long)(delay % 1000) * 1000000};
        while (delay && nanosleep(&rest, &rest) != 0) {}
        failure = (int)atomic_exchange(&control->sync_errno, 0);
    }
    int done = failure ? -1 : (int)syscall(call, fd);
    if (!failure) failure = errno;
    pthread_mutex_lock(&turn);
    record(done == 0 ? SYNC : SYNC_FAILED, name, covered, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = failure;
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
