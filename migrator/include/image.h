/*
 * The state image: what a captured process hands to the process that continues
 * it. Written by the runtime, read by the runtime of the other ISA and by the
 * supervisor; see docs/formats/image.md, whose sections the readers cite.
 *
 * Little-endian, no padding that is not named. Every offset is from the start of the
 * image. Freestanding: the runtime includes this.
 */
#ifndef DROVER_IMAGE_H
#define DROVER_IMAGE_H

#include <stdint.h>

#define DROVER_IMAGE_MAGIC    0x31474d4956524444ull /* bytes "DDRVIMG1" */
#define DROVER_IMAGE_VERSION  2u
#define DROVER_IMAGE_ALIGN    4096u /* pages and page-backed sections */
#define DROVER_BUILD_ID_BYTES 32u

/* The range all memory of a program lies in, on both ISAs. */
#define DROVER_COMMON_START 0x1000000000ull
#define DROVER_COMMON_END   0x4000000000ull

/* Bounds a reader enforces before it allocates or maps anything. */
#define DROVER_IMAGE_MAX_SECTIONS     16u
#define DROVER_IMAGE_MAX_FRAMES       (1u << 20)
#define DROVER_IMAGE_MAX_FRAMES_BYTES (512u << 20)
#define DROVER_IMAGE_MAX_THREADS      1024u
#define DROVER_IMAGE_MAX_MAPS         65536u
#define DROVER_IMAGE_MAX_RUNS         (1u << 20)
#define DROVER_IMAGE_MAX_FILES        1024u
#define DROVER_IMAGE_MAX_STRINGS      (1u << 20)
#define DROVER_IMAGE_MAX_PATH         4096u
#define DROVER_IMAGE_SIGNALS          65u /* index by signal number; 0 unused */

enum drover_isa { DROVER_ISA_X86_64 = 1, DROVER_ISA_AARCH64 = 2 };

enum drover_image_section_type {
	DROVER_SEC_PROCESS = 1, /* one struct drover_image_process */
	DROVER_SEC_FRAMES = 2,  /* struct drover_frame records, innermost first */
	DROVER_SEC_MAPS = 3,    /* struct drover_image_map, ascending, disjoint */
	DROVER_SEC_RUNS = 4,    /* struct drover_image_run, ascending, disjoint */
	DROVER_SEC_FILES = 5,   /* struct drover_image_file, ascending by fd */
	DROVER_SEC_STRINGS =
		6, /* bytes; each string is followed by a NUL not counted in its length */
	DROVER_SEC_PAGES = 7,  /* bytes the runs point to */
	DROVER_SEC_THREADS = 8 /* struct drover_image_thread, main's first */
};

struct drover_image_section {
	uint32_t type;
	uint32_t reserved; /* 0 */
	uint64_t offset;
	uint64_t size;  /* bytes */
	uint64_t count; /* records; for STRINGS and PAGES equal to size */
};

struct drover_image_header {
	uint64_t magic;
	uint32_t version;
	uint32_t abi_version; /* DROVER_ABI_VERSION */
	uint32_t isa;         /* enum drover_isa: who wrote it */
	uint32_t nsections;
	uint64_t size;                           /* of the whole image */
	uint8_t build_id[DROVER_BUILD_ID_BYTES]; /* of the bundle; both halves have the same */
	uint64_t points;   /* migration points passed since the program began */
	uint64_t captures; /* committed or not, this one included */
	uint64_t meta_sum; /* FNV-1a 64 of all sections but PAGES, in table order, after the header
			      with this field 0 and the section table */
	struct drover_image_section
		sections[DROVER_IMAGE_MAX_SECTIONS]; /* first nsections used, rest 0 */
};

struct drover_image_string {
	uint32_t offset; /* within the STRINGS section */
	uint32_t length;
};

struct drover_image_signal {
	uint64_t handler; /* SIG_DFL 0, SIG_IGN 1, or an address in the program's text */
	uint64_t flags;   /* SA_* */
	uint64_t mask;
};

enum drover_image_thread_flags {
	DROVER_THREAD_ENDED = 1 /* main after pthread_exit: it has no frames */
};

/* A thread: where it stands, and what of musl's struct pthread a program can observe. Of threads
 * other than main that structure is in the program's memory and moves with it; main's belongs to
 * the process. Addresses are of the program's memory, or 0. */
struct drover_image_thread {
	uint64_t pthread;       /* its struct pthread, which is its thread pointer; main: 0 */
	uint64_t entry;         /* the function it began in; main: 0 */
	uint64_t stack_pointer; /* of its common stack */
	uint64_t frames_size;   /* bytes of its records in FRAMES, behind those of the one before */
	uint64_t signal_mask;
	uint64_t altstack; /* of sigaltstack: address, 0 if none */
	uint64_t altstack_size;
	int64_t cpu_ns; /* CPU time it has used */
	uint64_t next;  /* neighbours in the list of threads; 0: main itself */
	uint64_t prev;
	uint64_t result;
	uint64_t tsd;
	uint64_t locale;
	uint64_t dlerror_buf;
	uint64_t stdio_locks;
	uint64_t cancelbuf;
	uint64_t robust_head;
	int64_t robust_off;
	uint64_t robust_pending;
	uint32_t nframes;
	uint32_t flags; /* enum drover_image_thread_flags */
	uint32_t tid;   /* as the program knows it; the process has another */
	int32_t errno_val;
	int32_t h_errno_val;
	int32_t cancel;
	int32_t detach_state;
	uint32_t fenv; /* rounding mode and exception flags, AArch64's FE_* bits */
	uint8_t canceldisable;
	uint8_t cancelasync;
	uint8_t tsd_used;
	uint8_t dlerror_flag;
	uint32_t delivered; /* handlers that ran in it: modulo 2^16 all; in the upper half those
			       without SA_RESTART */
};

/* What musl keeps per process outside the movable data. */
struct drover_image_libc {
	uint64_t locale[6]; /* addresses of the global locale's categories, or 0 */
	uint8_t threaded;
	uint8_t need_locks;
	uint8_t reserved[2];
	uint32_t threads_minus_1;
	uint32_t thread_list_lock; /* the thread id of its holder, or 0 */
	uint32_t reserved2;
};

#define DROVER_IMAGE_TIMERS  32u
#define DROVER_IMAGE_PENDING 32u
#define DROVER_IMAGE_LIMITS  16u

/* A timer of timer_create, by the number the program knows it by. */
struct drover_image_timer {
	uint32_t used; /* 0 or 1 */
	uint32_t clock;
	uint32_t notify; /* SIGEV_SIGNAL 0, SIGEV_NONE 1 */
	uint32_t signo;
	uint64_t value;    /* that comes with the signal */
	uint64_t first_ns; /* to go, 0: not armed */
	uint64_t interval_ns;
};

/* A signal that was sent and is blocked. */
struct drover_image_pending {
	uint32_t signo;
	int32_t code; /* si_code */
	uint32_t pid;
	uint32_t uid;
	uint64_t value;
};

struct drover_image_process {
	uint64_t data_start; /* the movable data range; equals that of the reader */
	uint64_t data_end;
	uint64_t stack_start; /* main's common stack: one of the maps */
	uint64_t stack_end;
	uint64_t main_fn; /* address of main */
	uint64_t argv;    /* address in the common range; argc pointers and a null */
	uint64_t envp;
	int64_t monotonic_ns; /* the program's clocks at the capture */
	int64_t boottime_ns;
	int64_t realtime_ns;
	int64_t process_cpu_ns;
	uint32_t argc;
	uint32_t umask;
	uint32_t pid;      /* as the program knows it */
	uint32_t last_tid; /* the greatest thread id given out */
	struct drover_image_string cwd;
	struct drover_image_libc libc;
	struct drover_image_signal signals[DROVER_IMAGE_SIGNALS];
	int64_t interval_timers[3][4]; /* setitimer's: interval and time left, seconds and
					  microseconds */
	struct drover_image_timer timers[DROVER_IMAGE_TIMERS];
	uint32_t npending;
	uint32_t limits_set; /* a bit for each resource whose limits the program has changed */
	struct drover_image_pending
		pending[DROVER_IMAGE_PENDING];   /* the first npending, in order */
	uint64_t limits[DROVER_IMAGE_LIMITS][2]; /* soft and hard, as RLIMIT_* */
};

enum drover_image_map_flags {
	DROVER_MAP_STACK = 1 /* main's common stack */
};

/* Private memory without a file. prot as PROT_READ 1, PROT_WRITE 2, PROT_EXEC never. */
struct drover_image_map {
	uint64_t start;
	uint64_t end;
	uint32_t prot;
	uint32_t flags; /* enum drover_image_map_flags */
};

/* `size` bytes of memory at `addr` are the bytes at `offset`. Lies in one map, or in the
   movable data range. Memory in no run is zero. */
struct drover_image_run {
	uint64_t addr;
	uint64_t size;
	uint64_t offset; /* within the image, inside PAGES */
};

enum drover_image_file_kind {
	DROVER_FILE_INHERITED = 1, /* the same number in the new process: given by its supervisor */
	DROVER_FILE_PATH =
		2, /* opened again by path: regular file, directory, /dev/null and friends */
	DROVER_FILE_SHARED = 3,   /* shares the open file description of `like` */
	DROVER_FILE_REOPENED = 4, /* another description of the file of `like`, which is CONTENTS */
	DROVER_FILE_CONTENTS = 5, /* a regular file no path leads to: its bytes are in the image */
	DROVER_FILE_PIPE = 6,     /* one end; the other is `peer`, or closed */
	DROVER_FILE_PAIR = 7,     /* one end of a socketpair */
	DROVER_FILE_EVENT = 8,
	DROVER_FILE_TIMER = 9,
	DROVER_FILE_SIGNAL = 10,
	DROVER_FILE_EPOLL = 11,  /* its bytes are drover_image_watch */
	DROVER_FILE_GIVEN = 12,  /* the very description, handed over by one kernel: control.md */
	DROVER_FILE_SOCKET = 13, /* its bytes are a drover_image_socket and what waits in it */
	DROVER_FILE_LOCKS = 14   /* only as what is GIVEN: holds the process's locks of a file */
};

#define DROVER_FILE_NONE 0xffffffffu /* peer: the other end is closed */

/* One watch of an epoll set; an array of them is the bytes of an EPOLL descriptor. */
struct drover_image_watch {
	uint32_t fd;
	uint32_t events; /* EPOLL* */
	uint64_t data;
};

enum drover_image_socket_state {
	DROVER_SOCKET_OPEN = 0,
	DROVER_SOCKET_LISTENS = 1,
	DROVER_SOCKET_CONNECTED = 2 /* TCP, both ends in the program: `peer` is the other */
};

#define DROVER_SOCKET_OPTIONS 32u
#define DROVER_SOCKET_ADDRESS 112u

/* A SOCKET without what waits in it. Addresses and options as the kernel has them. */
struct drover_image_socket {
	uint32_t family;
	uint32_t type;
	uint32_t protocol;
	uint32_t state; /* enum drover_image_socket_state */
	uint32_t backlog;
	uint32_t options_set; /* a bit for each place in `options` the program has set */
	uint32_t local_size;  /* bytes of the addresses; 0: none */
	uint32_t peer_size;
	uint8_t local[DROVER_SOCKET_ADDRESS];
	uint8_t peer[DROVER_SOCKET_ADDRESS];
	uint8_t options[DROVER_SOCKET_OPTIONS][16];
};

enum drover_image_options {
	DROVER_SOCKET_SHUT_RD = 1, /* PAIR, SOCKET: this end receives no more */
	DROVER_SOCKET_SHUT_WR = 2  /* PAIR, SOCKET: this end sends no more */
};

struct drover_image_file {
	uint32_t fd;
	uint32_t kind;
	uint32_t flags;    /* canonical O_* (those of AArch64), without O_CREAT, O_EXCL, O_TRUNC,
			      O_LARGEFILE */
	uint32_t fd_flags; /* FD_CLOEXEC 1 */
	uint32_t like;     /* SHARED, REOPENED: a lower fd of this table */
	uint32_t mode;     /* st_mode when captured; type must agree when opened */
	uint64_t position;
	struct drover_image_string path; /* absolute */
	uint32_t peer;     /* PIPE, PAIR, SOCKET: fd of the other end, or DROVER_FILE_NONE */
	uint32_t options;  /* PAIR, SOCKET: enum drover_image_options */
	uint64_t value[3]; /* by kind: docs/formats/image.md, section 4 */
	uint64_t offset;   /* the bytes that belong to it, within the image, inside PAGES */
	uint64_t size;
};

_Static_assert(sizeof(struct drover_image_section) == 32, "image section");
_Static_assert(sizeof(struct drover_image_header) == 88 + 32 * DROVER_IMAGE_MAX_SECTIONS,
	       "image header");
_Static_assert(sizeof(struct drover_image_thread) == 192, "image thread");
_Static_assert(sizeof(struct drover_image_process) ==
		       176 + 24 * DROVER_IMAGE_SIGNALS + 96 + 40 * DROVER_IMAGE_TIMERS + 8 +
			       24 * DROVER_IMAGE_PENDING + 16 * DROVER_IMAGE_LIMITS,
	       "image process");
_Static_assert(sizeof(struct drover_image_map) == 24, "image map");
_Static_assert(sizeof(struct drover_image_run) == 24, "image run");
_Static_assert(sizeof(struct drover_image_file) == 88, "image file");
_Static_assert(sizeof(struct drover_image_socket) ==
		       32 + 2 * DROVER_SOCKET_ADDRESS + 16 * DROVER_SOCKET_OPTIONS,
	       "image socket");

#endif
